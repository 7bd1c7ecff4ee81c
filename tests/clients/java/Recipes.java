import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;

/** Apache Curator's recipes, with the leader killed underneath. */
public final class Recipes {
    private static final long LIMIT = 30;

    private interface Truth {
        boolean holds() throws Exception;
    }

    private static void check(boolean right, String what) {
        if (!right) {
            throw new AssertionError(what);
        }
        System.out.println("- " + what);
    }

    private static void await(Truth truth, String what) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT);
        while (!truth.holds() && System.nanoTime() < deadline) {
            Thread.sleep(20);
        }
        check(truth.holds(), what);
    }

    private static CuratorFramework connect(String servers) throws Exception {
        CuratorFramework client =
            CuratorFrameworkFactory.newClient(servers, 20_000, 15_000, new RetryNTimes(100, 100));
        client.start();
        check(client.blockUntilConnected((int) LIMIT, TimeUnit.SECONDS), "Curator is connected");
        return client;
    }

    private static void exclusion(CuratorFramework one, CuratorFramework two) throws Exception {
        InterProcessMutex mine = new InterProcessMutex(one, "/curator/lock");
        InterProcessMutex theirs = new InterProcessMutex(two, "/curator/lock");
        mine.acquire();
        check(!theirs.acquire(300, TimeUnit.MILLISECONDS), "a lock that is held can't be had");
        mine.release();
        check(theirs.acquire(LIMIT, TimeUnit.SECONDS), "a lock that is free can");
        theirs.release();

        InterProcessReadWriteLock left = new InterProcessReadWriteLock(one, "/curator/rw");
        InterProcessReadWriteLock right = new InterProcessReadWriteLock(two, "/curator/rw");
        check(left.readLock().acquire(LIMIT, TimeUnit.SECONDS)
            && right.readLock().acquire(LIMIT, TimeUnit.SECONDS), "two may read");
        left.readLock().release();
        check(!left.writeLock().acquire(300, TimeUnit.MILLISECONDS), "nobody writes while one reads");
        right.readLock().release();
        check(left.writeLock().acquire(LIMIT, TimeUnit.SECONDS), "then one may write");
        left.writeLock().release();

        InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(one, "/curator/semaphore", 2);
        Lease first = semaphore.acquire();
        Lease second = semaphore.acquire();
        check(semaphore.acquire(300, TimeUnit.MILLISECONDS) == null, "two leases and no third");
        semaphore.returnLease(first);
        Lease third = semaphore.acquire(LIMIT, TimeUnit.SECONDS);
        check(third != null, "until one is returned");
        semaphore.returnLease(second);
        semaphore.returnLease(third);
    }

    private static void counting(CuratorFramework one, CuratorFramework two) throws Exception {
        DistributedAtomicLong here = new DistributedAtomicLong(one, "/curator/long", new RetryNTimes(100, 10));
        DistributedAtomicLong there = new DistributedAtomicLong(two, "/curator/long", new RetryNTimes(100, 10));
        Thread[] adders = new Thread[2];
        for (int index = 0; index < 2; index++) {
            DistributedAtomicLong number = index == 0 ? here : there;
            adders[index] = new Thread(() -> {
                for (int count = 0; count < 20; count++) {
                    try {
                        while (!number.increment().succeeded()) {
                            Thread.yield();
                        }
                    } catch (Exception error) {
                        throw new IllegalStateException(error);
                    }
                }
            });
            adders[index].start();
        }
        for (Thread adder : adders) {
            adder.join(TimeUnit.SECONDS.toMillis(LIMIT));
        }
        two.sync().forPath("/curator/long");
        check(there.get().postValue() == 40, "40 increments of two are 40");

        SharedCount count = new SharedCount(one, "/curator/count", 0);
        SharedCount seen = new SharedCount(two, "/curator/count", 0);
        count.start();
        seen.start();
        count.setCount(7);
        await(() -> seen.getCount() == 7, "a shared count is seen by the other");
        count.close();
        seen.close();
    }

    private static void meeting(CuratorFramework one, CuratorFramework two) throws Exception {
        AtomicInteger entered = new AtomicInteger();
        Thread[] guests = new Thread[2];
        CuratorFramework[] clients = {one, two};
        for (int index = 0; index < 2; index++) {
            DistributedDoubleBarrier barrier = new DistributedDoubleBarrier(clients[index], "/curator/barrier", 2);
            guests[index] = new Thread(() -> {
                try {
                    if (barrier.enter(LIMIT, TimeUnit.SECONDS)) {
                        entered.incrementAndGet();
                    }
                    barrier.leave(LIMIT, TimeUnit.SECONDS);
                } catch (Exception error) {
                    throw new IllegalStateException(error);
                }
            });
            guests[index].start();
        }
        for (Thread guest : guests) {
            guest.join(TimeUnit.SECONDS.toMillis(LIMIT));
        }
        check(entered.get() == 2, "two meet at a barrier");

        SimpleDistributedQueue in = new SimpleDistributedQueue(one, "/curator/queue");
        SimpleDistributedQueue out = new SimpleDistributedQueue(two, "/curator/queue");
        in.offer("first".getBytes());
        in.offer("second".getBytes());
        check("first".equals(new String(out.take())) && "second".equals(new String(out.take())),
            "a queue keeps its order");
    }

    public static void main(String[] arguments) throws Exception {
        CuratorFramework one = connect(arguments[0]);
        CuratorFramework two = connect(arguments[0]);
        exclusion(one, two);
        counting(one, two);
        meeting(one, two);

        AtomicInteger terms = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(2);
        CuratorFramework[] clients = {one, two};
        LeaderSelector[] selectors = new LeaderSelector[2];
        for (int index = 0; index < 2; index++) {
            selectors[index] = new LeaderSelector(clients[index], "/curator/selector",
                new LeaderSelectorListenerAdapter() {
                    @Override
                    public void takeLeadership(CuratorFramework client) {
                        terms.incrementAndGet();
                        done.countDown();
                    }
                });
            selectors[index].start();
        }
        check(done.await(LIMIT, TimeUnit.SECONDS) && terms.get() == 2, "each leads once");
        selectors[0].close();
        selectors[1].close();

        LeaderLatch mine = new LeaderLatch(one, "/curator/latch", "one");
        LeaderLatch theirs = new LeaderLatch(two, "/curator/latch", "two");
        mine.start();
        check(mine.await(LIMIT, TimeUnit.SECONDS), "one is elected");
        theirs.start();
        Set<String> cached = ConcurrentHashMap.newKeySet();
        CuratorCache cache = CuratorCache.build(two, "/curator/tree");
        cache.listenable().addListener((type, before, now) -> {
            if (now != null) {
                cached.add(now.getPath());
            } else {
                cached.remove(before.getPath());
            }
        });
        cache.start();
        PersistentNode node =
            new PersistentNode(one, CreateMode.EPHEMERAL, false, "/curator/tree/here", new byte[0]);
        node.start();
        check(node.waitForInitialCreate(LIMIT, TimeUnit.SECONDS), "a node that stays is there");
        await(() -> cached.contains("/curator/tree/here"), "the cache sees it");

        System.out.println("KILL THE LEADER");
        check(System.in.read() == 'k', "the leader is killed");

        one.create().orSetData().forPath("/curator/tree/after", "x".getBytes());
        check(true, "writing goes on");
        await(() -> cached.contains("/curator/tree/after") && cached.contains("/curator/tree/here"),
            "the cache goes on");
        await(() -> mine.hasLeadership() || theirs.hasLeadership(), "somebody leads");
        await(() -> mine.hasLeadership() != theirs.hasLeadership(), "and nobody else");
        LeaderLatch leads = mine.hasLeadership() ? mine : theirs;
        LeaderLatch waits = leads == mine ? theirs : mine;
        leads.close();
        check(waits.await(LIMIT, TimeUnit.SECONDS), "when it resigns the other leads");
        waits.close();
        exclusion(one, two);
        node.close();
        await(() -> !cached.contains("/curator/tree/here"), "the cache sees the node go");
        cache.close();
        one.close();
        two.close();
        System.out.println("PASSED");
    }

    private Recipes() {
    }
}
