//! Names of things inside sentences.

use super::{Lang, say::push_number};
use zabscope_core::{
    id::Zxid,
    message::{MessageKind, ServerState},
    peer::event::{OpKind, SyncMode, TxnKind},
    request::{ErrorCode, WatchEventKind, WatchKind},
};

/// `1·09`: epoch and counter, the counter with at least two digits. Empty for "none".
#[must_use]
pub fn zxid(zxid: Zxid) -> String {
    let mut out = String::new();
    if zxid.0 >= 0 {
        push_zxid(&mut out, zxid);
    }
    out
}

pub(super) fn push_zxid(out: &mut String, zxid: Zxid) {
    push_number(out, zxid.epoch().0.unsigned_abs());
    out.push('·');
    if zxid.counter() < 10 {
        out.push('0');
    }
    push_number(out, u64::from(zxid.counter()));
}

/// What a server is, as one says it: `looking`, `following`, `leading`, `observing`.
#[must_use]
pub fn role(state: ServerState, lang: Lang) -> &'static str {
    match state {
        ServerState::Looking => lang.pick("looking", "寻找领导者"),
        ServerState::Following => lang.pick("following", "跟随"),
        ServerState::Leading => lang.pick("leading", "领导"),
        ServerState::Observing => lang.pick("observing", "观察"),
    }
}

pub(super) const fn mode(mode: SyncMode) -> &'static str {
    match mode {
        SyncMode::Diff => "DIFF",
        SyncMode::Trunc => "TRUNC",
        SyncMode::Snap => "SNAP",
    }
}

pub(super) const fn op(op: OpKind) -> &'static str {
    match op {
        OpKind::Ping => "ping",
        OpKind::Exists => "exists",
        OpKind::GetData => "getData",
        OpKind::GetAcl => "getACL",
        OpKind::GetChildren => "getChildren",
        OpKind::GetAllChildrenNumber => "getAllChildrenNumber",
        OpKind::GetEphemerals => "getEphemerals",
        OpKind::MultiRead => "multiRead",
        OpKind::Sync => "sync",
        OpKind::AddWatch => "addWatch",
        OpKind::CheckWatches => "checkWatches",
        OpKind::RemoveWatches => "removeWatches",
        OpKind::SetWatches => "setWatches",
        OpKind::WhoAmI => "whoAmI",
        OpKind::Auth => "addAuth",
        OpKind::CreateSession => "createSession",
        OpKind::CloseSession => "closeSession",
        OpKind::Create => "create",
        OpKind::Delete => "delete",
        OpKind::DeleteContainer => "deleteContainer",
        OpKind::SetData => "setData",
        OpKind::SetAcl => "setACL",
        OpKind::Check => "check",
        OpKind::Multi => "multi",
        OpKind::Reconfig => "reconfig",
        OpKind::Sasl => "sasl",
        OpKind::Unreadable => "unreadable write",
        OpKind::Refused => "unknown request",
    }
}

pub(super) const fn txn(txn: TxnKind) -> &'static str {
    match txn {
        TxnKind::CreateSession => "createSession",
        TxnKind::CloseSession => "closeSession",
        TxnKind::Create => "create",
        TxnKind::Delete => "delete",
        TxnKind::SetData => "setData",
        TxnKind::Reconfig => "reconfig",
        TxnKind::SetAcl => "setACL",
        TxnKind::Check => "check",
        TxnKind::Multi => "multi",
        TxnKind::Error => "error",
    }
}

/// `setData /config`.
pub(super) fn at(name: &str, path: Option<&str>) -> String {
    let mut out = String::from(name);
    if let Some(path) = path {
        out.push(' ');
        out.push_str(path);
    }
    out
}

/// What happened to a watched znode, after its path: `/a was created`.
pub(super) const fn happened(event: WatchEventKind, lang: Lang) -> &'static str {
    match event {
        WatchEventKind::NodeCreated => lang.pick("was created", "被创建"),
        WatchEventKind::NodeDeleted => lang.pick("was deleted", "被删除"),
        WatchEventKind::NodeDataChanged => lang.pick("has new data", "的数据变了"),
        WatchEventKind::NodeChildrenChanged => {
            lang.pick("gained or lost a child", "的子节点有增减")
        }
    }
}

/// What a watch waits for.
pub(super) const fn watch(kind: WatchKind, lang: Lang) -> &'static str {
    match kind {
        WatchKind::Data => lang.pick(
            "it rings once, when the znode is created, changed or deleted",
            "节点被创建、修改或删除时响一次",
        ),
        WatchKind::Child => lang.pick(
            "it rings once, when a child comes or goes, or the znode itself goes",
            "子节点增减或节点自己被删除时响一次",
        ),
        WatchKind::Persistent => lang.pick(
            "it rings at every change of this znode and stays",
            "这个节点每次变化都会响，并且保留",
        ),
        WatchKind::Recursive => lang.pick(
            "it rings at every change of this znode and of all below it, and stays",
            "这个节点及其下所有节点每次变化都会响，并且保留",
        ),
    }
}

/// What an error code means.
pub(super) const fn error(code: ErrorCode, lang: Lang) -> &'static str {
    match code {
        ErrorCode::Ok => lang.pick("no error of its own", "自身没有错误"),
        ErrorCode::RuntimeInconsistency => lang.pick(
            "rolled back with the others of its multi",
            "随同一 multi 中的其他操作一起撤销",
        ),
        ErrorCode::MarshallingError => lang.pick("the bytes make no sense", "字节无法解析"),
        ErrorCode::Unimplemented => lang.pick("no such operation", "没有这个操作"),
        ErrorCode::BadArguments => lang.pick("the arguments are not allowed", "参数不合法"),
        ErrorCode::NoNode => lang.pick("there is no such znode", "没有这个节点"),
        ErrorCode::NoAuth => lang.pick("the ACL does not allow it", "ACL 不允许"),
        ErrorCode::BadVersion => lang.pick("the version is another one by now", "版本已经不同"),
        ErrorCode::NoChildrenForEphemerals => {
            lang.pick("an ephemeral znode has no children", "临时节点不能有子节点")
        }
        ErrorCode::NodeExists => lang.pick("the znode exists already", "节点已存在"),
        ErrorCode::NotEmpty => lang.pick("the znode has children", "节点还有子节点"),
        ErrorCode::SessionExpired => lang.pick("the session is over", "会话已结束"),
        ErrorCode::InvalidAcl => lang.pick("the ACL is not valid", "ACL 无效"),
        ErrorCode::AuthFailed => lang.pick("the identity was not proved", "身份验证失败"),
        ErrorCode::SessionMoved => lang.pick(
            "the session is at another server now",
            "会话已转到另一台服务器",
        ),
        ErrorCode::NotReadOnly => lang.pick("this server only reads", "这台服务器只读"),
        ErrorCode::EphemeralOnLocalSession => lang.pick(
            "a local session has no ephemerals",
            "本地会话不能有临时节点",
        ),
        ErrorCode::NoWatcher => lang.pick("there is no such watch", "没有这个监听"),
        ErrorCode::ReconfigDisabled => lang.pick("reconfig is switched off", "reconfig 已关闭"),
        ErrorCode::QuotaExceeded => lang.pick("the quota is used up", "配额已用完"),
        ErrorCode::SystemError => lang.pick("the server failed", "服务器出错"),
        ErrorCode::DataInconsistency => lang.pick("the data contradict each other", "数据不一致"),
        ErrorCode::ConnectionLoss => lang.pick("the connection is lost", "连接已断开"),
        ErrorCode::OperationTimeout => lang.pick("it took too long", "操作超时"),
        ErrorCode::UnknownSession => lang.pick("there is no such session", "没有这个会话"),
        ErrorCode::NewConfigNoQuorum => lang.pick(
            "no quorum of the new configuration is there",
            "新配置没有多数派在线",
        ),
        ErrorCode::ReconfigInProgress => {
            lang.pick("another reconfig is under way", "另一个 reconfig 正在进行")
        }
        ErrorCode::ApiError => lang.pick("it was called wrongly", "调用方式有误"),
        ErrorCode::InvalidCallback => lang.pick("the callback is not valid", "回调无效"),
        ErrorCode::RequestTimeout => lang.pick("no answer came in time", "没有及时得到应答"),
        ErrorCode::SessionClosedRequireSaslAuth => lang.pick(
            "without SASL there is no session here",
            "没有 SASL 认证就没有会话",
        ),
        ErrorCode::ThrottledOp => lang.pick("the server has too much to do", "服务器太忙"),
    }
}

/// What a message says, in a few words.
pub(super) const fn message(kind: MessageKind, lang: Lang) -> &'static str {
    match kind {
        MessageKind::Notification => lang.pick("a vote", "一张选票"),
        MessageKind::FollowerInfo | MessageKind::ObserverInfo => {
            lang.pick("the highest epoch it accepted", "它接受过的最高纪元")
        }
        MessageKind::LeaderInfo => lang.pick("the new epoch", "新的纪元"),
        MessageKind::AckEpoch => {
            lang.pick("accepted, and my log ends here", "已接受，我的日志止于此")
        }
        MessageKind::Diff => lang.pick("what is missing follows", "接下来是缺少的部分"),
        MessageKind::Trunc => lang.pick("cut everything after this", "截掉此后的一切"),
        MessageKind::Snap => lang.pick("here is the whole tree", "这是整棵树"),
        MessageKind::NewLeader => lang.pick("that is the whole history", "这就是全部历史"),
        MessageKind::UpToDate => lang.pick("you may serve", "可以服务了"),
        MessageKind::Request => lang.pick("a client's write or sync", "客户端的写操作或 sync"),
        MessageKind::Proposal => lang.pick("log this", "请记入日志"),
        MessageKind::Ack => lang.pick("it is on my disk", "已在我的磁盘上"),
        MessageKind::Commit => lang.pick("a quorum has it, apply it", "法定人数已有，请应用"),
        MessageKind::Inform => lang.pick("committed, log and apply it", "已提交，请记录并应用"),
        MessageKind::Ping => lang.pick("tell me that you are there", "请告诉我你还在"),
        MessageKind::Pong => lang.pick("I am, and so are these sessions", "我在，这些会话也在"),
        MessageKind::Revalidate => lang.pick(
            "tell me whether this session lives",
            "请告诉我这个会话是否还在",
        ),
        MessageKind::Revalidated => lang.pick("what became of that session", "那个会话的状况"),
        MessageKind::Sync => lang.pick("you have all that I had committed", "我当时提交的你都有了"),
    }
}

/// Whether the zxid in a message is a place in the order that says something by itself.
pub(super) const fn about_zxid(kind: MessageKind) -> bool {
    match kind {
        MessageKind::AckEpoch
        | MessageKind::Diff
        | MessageKind::Trunc
        | MessageKind::Snap
        | MessageKind::Proposal
        | MessageKind::Ack
        | MessageKind::Commit
        | MessageKind::Inform => true,
        MessageKind::Notification
        | MessageKind::FollowerInfo
        | MessageKind::ObserverInfo
        | MessageKind::LeaderInfo
        | MessageKind::NewLeader
        | MessageKind::UpToDate
        | MessageKind::Request
        | MessageKind::Ping
        | MessageKind::Pong
        | MessageKind::Revalidate
        | MessageKind::Revalidated
        | MessageKind::Sync => false,
    }
}

/// Whether the zxid in a message stands for an epoch.
pub(super) const fn about_epoch(kind: MessageKind) -> bool {
    match kind {
        MessageKind::FollowerInfo
        | MessageKind::ObserverInfo
        | MessageKind::LeaderInfo
        | MessageKind::NewLeader => true,
        MessageKind::Notification
        | MessageKind::AckEpoch
        | MessageKind::Diff
        | MessageKind::Trunc
        | MessageKind::Snap
        | MessageKind::UpToDate
        | MessageKind::Request
        | MessageKind::Proposal
        | MessageKind::Ack
        | MessageKind::Commit
        | MessageKind::Inform
        | MessageKind::Ping
        | MessageKind::Pong
        | MessageKind::Revalidate
        | MessageKind::Revalidated
        | MessageKind::Sync => false,
    }
}
