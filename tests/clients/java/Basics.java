import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/** What applications do with the official client, and what must survive the leader's end. */
public final class Basics {
    private static final long LIMIT = 30;

    /** A session whose events can be awaited. */
    private static final class Session {
        final LinkedBlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();
        final CountDownLatch connected = new CountDownLatch(1);
        final ZooKeeper keeper;

        Session(String servers) throws Exception {
            keeper = new ZooKeeper(servers, 20_000, event -> {
                if (event.getState() == KeeperState.SyncConnected) {
                    connected.countDown();
                }
                if (event.getType() != EventType.None) {
                    events.add(event);
                }
            });
            check(connected.await(LIMIT, TimeUnit.SECONDS), "a session is connected");
        }

        void expect(EventType type, String path) throws Exception {
            WatchedEvent event = events.poll(LIMIT, TimeUnit.SECONDS);
            check(event != null && event.getType() == type && path.equals(event.getPath()),
                type + " of " + path + " comes, not " + event);
        }
    }

    private interface Call<T> {
        T run() throws Exception;
    }

    /** The connection may be lost while servers change: then again, as applications do it. */
    private static <T> T insist(Call<T> call) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT);
        while (true) {
            try {
                return call.run();
            } catch (KeeperException.ConnectionLossException lost) {
                if (System.nanoTime() > deadline) {
                    throw lost;
                }
                Thread.sleep(50);
            }
        }
    }

    private static void check(boolean right, String what) {
        if (!right) {
            throw new AssertionError(what);
        }
        System.out.println("- " + what);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    /** Enters a queue of ephemeral sequential nodes; returns the name. */
    private static String enter(Session session, String root) throws Exception {
        String path = session.keeper.create(root + "/n-", new byte[0], Ids.OPEN_ACL_UNSAFE,
            CreateMode.EPHEMERAL_SEQUENTIAL);
        return path.substring(root.length() + 1);
    }

    /** Who is first in the queue. */
    private static String first(Session session, String root) throws Exception {
        List<String> names = session.keeper.getChildren(root, false);
        return names.stream().sorted().findFirst().orElse("");
    }

    /** The first holds, the second waits until the first's session ends. */
    private static void queue(String servers, String root) throws Exception {
        Session one = new Session(servers);
        Session two = new Session(servers);
        one.keeper.create(root, new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        String first = enter(one, root);
        String second = enter(two, root);
        check(first.equals(first(two, root)), "the first in " + root + " holds it");
        check(two.keeper.exists(root + "/" + first, true) != null, "the second watches the first");
        one.keeper.close();
        two.expect(EventType.NodeDeleted, root + "/" + first);
        check(second.equals(first(two, root)), "then the second in " + root + " holds it");
        two.keeper.close();
    }

    public static void main(String[] arguments) throws Exception {
        String servers = arguments[0];
        Session session = new Session(servers);
        Session other = new Session(servers);
        ZooKeeper keeper = session.keeper;

        keeper.create("/java", bytes("one"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        Stat stat = new Stat();
        check("one".equals(new String(keeper.getData("/java", true, stat))), "what was written is read");
        check(stat.getVersion() == 0 && stat.getDataLength() == 3, "with its Stat");
        other.keeper.sync("/java", (code, path, context) -> { }, null);
        other.keeper.setData("/java", bytes("two"), 0);
        session.expect(EventType.NodeDataChanged, "/java");
        try {
            keeper.setData("/java", bytes("three"), 0);
            check(false, "an old version is refused");
        } catch (KeeperException.BadVersionException expected) {
            check(true, "an old version is refused");
        }
        List<OpResult> results = keeper.multi(Arrays.asList(
            Op.create("/java/a", bytes("a"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.setData("/java/a", bytes("b"), 0),
            Op.check("/java/a", 1),
            Op.delete("/java/a", 1)));
        check(results.size() == 4, "a transaction of four");
        check(keeper.exists("/java/a", true) == null, "which left nothing");
        keeper.addAuthInfo("digest", bytes("java:secret"));
        keeper.create("/java/mine", bytes("x"), Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        try {
            other.keeper.getData("/java/mine", false, null);
            check(false, "what is mine is not others'");
        } catch (KeeperException.NoAuthException expected) {
            check(true, "what is mine is not others'");
        }
        other.keeper.addWatch("/java", AddWatchMode.PERSISTENT_RECURSIVE);

        queue(servers, "/java-lock");
        queue(servers, "/java-election");

        keeper.create("/java/here", new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        other.expect(EventType.NodeCreated, "/java/here");
        check(keeper.getChildren("/java", true).contains("here"), "an ephemeral node");
        long id = keeper.getSessionId();

        System.out.println("KILL THE LEADER");
        check(System.in.read() == 'k', "the leader is killed");

        // A persistent watch tells only what happens while its session is connected.
        insist(() -> keeper.exists("/java", false));
        insist(() -> other.keeper.exists("/java", false));
        insist(() -> keeper.setData("/java", bytes("after"), -1));
        check(true, "the others go on without it");
        check(keeper.getSessionId() == id, "in the same session");
        Stat ephemeral = insist(() -> other.keeper.exists("/java/here", false));
        check(ephemeral != null && ephemeral.getEphemeralOwner() == id, "which keeps what it has");
        other.expect(EventType.NodeDataChanged, "/java");
        insist(() -> {
            try {
                return other.keeper.create("/java/b", new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            } catch (KeeperException.NodeExistsException again) {
                return "";
            }
        });
        session.expect(EventType.NodeChildrenChanged, "/java");
        other.expect(EventType.NodeCreated, "/java/b");
        insist(() -> keeper.create("/java/a", new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        session.expect(EventType.NodeCreated, "/java/a");
        check("x".equals(new String(insist(() -> keeper.getData("/java/mine", false, null)))),
            "who I am is known again");
        keeper.close();
        other.expect(EventType.NodeCreated, "/java/a");
        other.expect(EventType.NodeDeleted, "/java/here");
        other.keeper.close();
        System.out.println("PASSED");
    }

    private Basics() {
    }
}
