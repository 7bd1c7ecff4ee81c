//! The labels of the page's shell, in both languages side by side: a label without a translation
//! does not compile.

use super::Lang;

macro_rules! catalogue {
    ($($key:ident = $en:literal, $zh:literal;)*) => {
        /// A label of the page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key {
            $(#[doc = $en] $key,)*
        }

        impl Key {
            /// All of them.
            pub const ALL: &'static [Key] = &[$(Key::$key,)*];
        }

        /// A label in a language.
        #[must_use]
        pub const fn t(lang: Lang, key: Key) -> &'static str {
            match key {
                $(Key::$key => lang.pick($en, $zh),)*
            }
        }
    };
}

catalogue! {
    // Shell
    AppName = "zabscope", "zabscope";
    Scenarios = "Scenarios", "场景";
    Lessons = "Lessons", "课程";
    Share = "Share", "分享";
    Export = "Export", "导出";
    Import = "Import", "导入";
    Keys = "Keys", "快捷键";
    ThemeDark = "Dark", "深色";
    Menu = "Menu", "菜单";
    Close = "Close", "关闭";
    Copied = "Link copied", "链接已复制";
    NewWorld = "New world", "新世界";
    Latency = "Message, at least (ms)", "消息至少（毫秒）";
    Jitter = "and up to this more (ms)", "最多再加（毫秒）";
    Fsync = "Disk, per batch (ms)", "每批写盘（毫秒）";
    TickTime = "tickTime (ms)", "tickTime（毫秒）";
    Seed = "Seed", "种子";
    Voters = "Voters", "投票者";
    Observers = "Observers", "观察者";
    Apply = "Apply", "应用";

    // Transport
    Play = "Play", "播放";
    Pause = "Pause", "暂停";
    Step = "Step", "单步";
    Back = "Back", "后退";
    NextPhase = "Next phase", "下一阶段";
    Speed = "Speed", "速度";
    Scrubber = "Moment", "时刻";
    ShowHeartbeats = "Show heartbeats", "显示心跳";
    Branch = "Branch", "分支";
    Branches = "Branches", "分支列表";
    MainBranch = "main", "主线";
    AtRest = "Nothing can happen any more until you act.", "在你行动之前，不会再发生任何事。";

    // Stage
    Stage = "Stage", "舞台";
    Server = "Server", "服务器";
    Client = "Client", "客户端";
    Message = "Message", "消息";
    Link = "Link", "链路";
    Vote = "Vote", "选票";
    Epoch = "Epoch", "纪元";
    Zxid = "zxid", "zxid";
    Myid = "myid", "myid";
    LastZxid = "Last zxid", "最后的 zxid";
    Round = "Round", "轮次";
    Down = "down", "已停机";
    Paused = "paused", "已暂停";
    NotStarted = "not started yet", "尚未启动";
    Received = "received", "已收到";
    OnDisk = "on disk", "已写盘";
    Committed = "committed", "已提交";
    Applied = "applied", "已应用";
    Proposed = "proposed", "已提出";
    Lost = "lost", "丢失";

    // Acting
    Actions = "Actions", "操作";
    Crash = "Crash", "崩溃";
    CrashLosing = "Crash, losing what is not on disk", "崩溃并丢失未写盘的内容";
    Restart = "Restart", "重启";
    PauseServer = "Pause this server", "暂停这台服务器";
    Resume = "Resume", "恢复";
    SlowDisk = "Slow its disk", "减慢磁盘";
    LoseDisk = "Lose its disk", "丢失磁盘";
    NormalDisk = "Disk back to normal", "磁盘恢复正常";
    Partition = "Partition", "网络分区";
    PartitionHelp = "Choose who stands on the other side of the wall", "选择站在墙另一边的服务器";
    Isolate = "Cut it off from all", "与所有服务器隔离";
    HealAll = "Heal all", "全部恢复";
    AddClient = "Add a client", "添加客户端";
    ConnectTo = "Connect to", "连接到";
    AnyServer = "any server", "任意服务器";
    DropConnection = "Break the connection", "断开连接";
    PauseClient = "Pause the client", "暂停客户端";
    Create = "Create", "创建";
    Read = "Read", "读取";
    Write = "Write", "写入";
    Delete = "Delete", "删除";
    Watch = "Watch", "监听";
    Sync = "Sync", "同步 (sync)";
    List = "List children", "列出子节点";
    Path = "Path", "路径";
    Data = "Data", "数据";
    Ephemeral = "Ephemeral", "临时";
    Sequential = "Sequential", "顺序编号";
    Send = "Send", "发送";
    WriteLoad = "Let it write by itself", "让它自动写入";

    // Side
    Inspector = "Inspector", "检查器";
    Lesson = "Lesson", "课程";
    Tree = "Tree", "树";
    Console = "Console", "控制台";
    NothingSelected = "Choose a server, a message or a znode.", "选择一台服务器、一条消息或一个节点。";
    AcceptedEpoch = "acceptedEpoch", "acceptedEpoch";
    CurrentEpoch = "currentEpoch", "currentEpoch";
    LogicalClock = "Logical clock", "逻辑时钟";
    LastLogged = "Last logged", "日志止于";
    DurableTo = "Durable to", "已写盘到";
    CommittedTo = "Committed to", "已提交到";
    AppliedTo = "Applied to", "已应用到";
    VotesSeen = "Votes seen", "看到的选票";
    Log = "Log", "日志";
    Sessions = "Sessions", "会话";
    Watches = "Watches", "监听";
    NoSessions = "No sessions", "没有会话";
    NoWatches = "No watches", "没有监听";
    EmptyLog = "The log is empty", "日志为空";
    From = "From", "来自";
    To = "To", "发往";
    SentAt = "Sent", "发出";
    ArrivesAt = "Arrives", "到达";
    Contents = "Contents", "内容";
    AllHold = "All invariants hold", "所有不变式都成立";

    // Why
    Why = "Why?", "为什么？";
    Rule = "Rule", "规则";
    Values = "Values compared", "比较的值";
    Causes = "How it came to this", "来龙去脉";

    // Timeline
    Events = "Events", "事件";
    LogsSideBySide = "Logs side by side", "日志对照";
    Filter = "Filter", "过滤";

    // Lessons
    ContinueLesson = "Continue", "继续";
    LeaveLesson = "Leave the lesson", "离开课程";
    Next = "Next", "下一步";
    Previous = "Previous", "上一步";
    WatchIt = "Watch", "观看";
    Hint = "Hint", "提示";
    AnotherHint = "Another hint", "再来一个提示";
    ShowMe = "Show me", "演示给我看";
    YourTurn = "Your turn", "轮到你";
    Done = "Done", "完成";
    Predict = "Predict", "预测";
    RunIt = "Run it", "运行看看";
    YouPredicted = "You predicted", "你的预测";
    Right = "Right", "正确";
    Wrong = "Not this time", "这次不对";
    WhatWouldHave = "What would have had to be true", "要怎样才会如此";
    LessonDone = "Lesson complete", "课程完成";
    NextLesson = "Next lesson", "下一课";

    // Errors
    BadLink = "This link or file can't be opened.", "无法打开这个链接或文件。";
    OldLink = "This link was made by another version; the run may differ.", "这个链接来自另一个版本；运行结果可能不同。";
    Impossible = "That is not possible now.", "现在不能这样做。";

    // Keys
    KeysTitle = "Keyboard", "键盘";
    KeyPlay = "Play or pause", "播放或暂停";
    KeyStep = "Step forward", "前进一步";
    KeyBack = "Step back", "后退一步";
    KeyPhase = "Next phase", "下一阶段";
    KeyHome = "To the beginning", "回到开头";
    KeyEnd = "To the end", "到末尾";
    KeySpeed = "Faster, slower", "加速、减速";
    KeyUndo = "undo what was done last", "撤销上一次操作";
    KeyHelp = "This list", "这个列表";
    KeyServer = "Choose server 1 to 9", "选择服务器 1 到 9";
    KeyWhy = "Why?", "为什么？";
    KeyUntil = "Go on until …", "继续，直到……";
    KeyBookmark = "Keep this moment", "收藏这一刻";
    KeyCrash = "Crash or restart what is chosen; Shift+X: with its unsynced tail", "让所选的崩溃或重启；Shift+X：连同未写盘的尾部";
    KeyPause = "Pause it, or let it go on", "暂停它，或让它继续";
    KeySlow = "Slow its disk, or the chosen link", "减慢它的磁盘，或所选的链路";
    KeyMenu = "A menu of its faults; also by the other mouse button, or a long press", "打开它的故障菜单；也可用鼠标右键或长按";
    KeyWall = "Build a wall between servers", "在服务器之间建起隔墙";
    KeyCut = "Cut it off, or the chosen link; again: heal", "切断它，或所选的链路；再按恢复";
}
