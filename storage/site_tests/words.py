"""What is said of each check, in Chinese and in English: the one table for page and command line.

`{name}` is filled in from the facts of the finding.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from storage.site_tests.findings import Check, Finding


class Language(StrEnum):
    """In which language something is said."""

    CHINESE = "zh-CN"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Text:
    """The same in both languages."""

    zh: str
    en: str

    def in_language(self, language: Language) -> str:
        """Return one of them."""
        return self.zh if language is Language.CHINESE else self.en


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in words. what: was looked at. remedy: "" where nothing is to be done."""

    what: str
    expected: str
    found: str
    remedy: str


LOOKED_AT: Final = MappingProxyType(
    {
        Check.DEVICES: (
            Text("登记的设备", "Registered devices"),
            Text("至少一台", "one at least"),
        ),
        Check.HEARD: (
            Text("设备呼叫过本中心", "The device has called us"),
            Text("7 天内有过连接", "within seven days"),
        ),
        Check.RECEIVED: (
            Text("收到过该设备的图像", "Images received from the device"),
            Text("有检查入库", "studies that were filed"),
        ),
        Check.QUARANTINE: (
            Text("隔离待处理", "Instances set aside"),
            Text("没有", "none"),
        ),
        Check.CLOCK: (
            Text("设备时钟", "The device's clock"),
            Text("与服务器相差 2 分钟以内", "within two minutes of the server's"),
        ),
        Check.ECHO: (
            Text("向设备发 C-ECHO", "C-ECHO to the device"),
            Text("应答成功", "answered with success"),
        ),
        Check.FILING: (
            Text(
                "试验图像：写入、读头、入库、取回、撤销",
                "A test image: kept, read, filed, fetched, undone",
            ),
            Text("与写入的一致，不留痕迹", "as it was, and no trace of it afterwards"),
        ),
        Check.CHINESE: (
            Text("中文姓名存取（C-FIND）", "A Chinese name, filed and found (C-FIND)"),
            Text("与发送的一致", "as it was sent"),
        ),
        Check.WORKLIST: (
            Text("设备查询工作列表（MWL）", "The device asks for its worklist"),
            Text("试验预约在列，姓名为汉字", "the test order is there, its name in Chinese"),
        ),
        Check.ORDERS: (
            Text("HIS 申请单（HL7）", "Orders of the HIS (HL7)"),
            Text("30 天内有消息且被接受", "accepted messages within 30 days"),
        ),
        Check.DESTINATION: (
            Text("报告送达地址", "Where reports go"),
            Text("可连通并应答", "reached, and answers"),
        ),
        Check.RECEIVER_CLOCK: (
            Text("接收方时钟（HTTP Date）", "The receiver's clock (HTTP Date)"),
            Text("与本中心相差 2 分钟以内", "within two minutes of ours"),
        ),
        Check.DELIVERED: (
            Text("最近一次送达", "The last report delivered"),
            Text("对方确认收到，无积压", "confirmed by the receiver, nothing waits"),
        ),
        Check.CERTIFICATE: (
            Text("对方 TLS 证书", "The receiver's TLS certificate"),
            Text("有效期 30 天以上", "valid for more than 30 days"),
        ),
        Check.TOKEN: (
            Text("接口令牌", "Tokens of its software"),
            Text("有效期 30 天以上", "valid for more than 30 days"),
        ),
        Check.PEOPLE: (
            Text("可查看报告的站点人员", "People who can open reports"),
            Text("至少一名医生可登录", "one doctor at least who can sign in"),
        ),
    }
)
"""Of each check: what it looks at, and what it expects."""

_NONE: Final = Text("", "")

FOUND: Final = MappingProxyType(
    {
        "devices_none": (
            Text("一台也没有", "none"),
            Text("登记设备：rdc device add --help", "Register it: rdc device add --help"),
        ),
        "devices": (Text("{number} 台", "{number}"), _NONE),
        "heard": (Text("最近 {at}", "last {at}"), _NONE),
        "heard_long_ago": (
            Text("最近 {at}，已超过 7 天", "last {at}, more than seven days ago"),
            Text(
                "在设备上发送 C-ECHO；检查网络与设备是否停用",
                "Send a C-ECHO from the device; look at its network, or retire it.",
            ),
        ),
        "heard_never": (
            Text("从未呼叫", "never"),
            Text(
                "在设备上填写本中心的地址、端口和 AE 名 {called}，以及设备 AE 名 {ae_title}"
                "，再发 C-ECHO",
                "On the device set our address, port and AE title {called}, its own AE title"
                " {ae_title}, and send a C-ECHO.",
            ),
        ),
        "received": (
            Text("最近 {at}，近期 {studies} 个检查", "last {at}, {studies} studies lately"),
            _NONE,
        ),
        "received_none": (
            Text("近期没有", "none lately"),
            Text(
                "从设备发送一个体模检查，几分钟后再测试",
                "Send a phantom study from the device and test again in some minutes.",
            ),
        ),
        "quarantine": (
            Text("{number} 个实例待处理：{reasons}", "{number} wait for a decision: {reasons}"),
            Text("由调度员在隔离区页面处理", "A dispatcher decides on the quarantine page."),
        ),
        "quarantine_none": (Text("没有", "none"), _NONE),
        "clock": (
            Text(
                "未见超前；最短 {minutes} 分钟入库", "not ahead; filed {minutes} min later at best"
            ),
            _NONE,
        ),
        "clock_ahead": (
            Text("比服务器快 {minutes} 分钟", "{minutes} min ahead of the server"),
            Text("校正设备时钟，启用 NTP 和正确时区", "Set the device's clock; use NTP."),
        ),
        "clock_behind": (
            Text(
                "检查时间比接收早 {minutes} 分钟以上",
                "studies are dated {minutes} min before they come, at best",
            ),
            Text(
                "设备时钟偏慢，或检查积攒后才发送：核对设备时间",
                "The clock is behind, or studies are sent late: compare the device's clock.",
            ),
        ),
        "clock_unknown": (Text("尚无可比较的检查", "no study to compare yet"), _NONE),
        "echo": (Text("{milliseconds} 毫秒应答", "answered in {milliseconds} ms"), _NONE),
        "echo_failed": (
            Text("{said}", "{said}"),
            Text(
                "检查设备的监听地址与端口、防火墙，以及设备上登记的本中心 AE 名",
                "Check its listening address and port, the firewall, and that it knows our AE"
                " title.",
            ),
        ),
        "echo_nowhere": (
            Text("未登记其监听地址（只发送的设备不需要）", "it has no address of its own to call"),
            _NONE,
        ),
        "filing": (Text("一致，已撤销", "the same, and undone"), _NONE),
        "filing_failed": (
            Text("失败：{said}", "failed: {said}"),
            Text("运行 rdc doctor", "Run rdc doctor."),
        ),
        "chinese": (
            Text("{character_set} 均正确", "right in {character_set}"),
            _NONE,
        ),
        "chinese_wrong": (
            Text("{character_set} 中取回的姓名不一致", "another name came back in {character_set}"),
            Text("请报告给软件维护方", "Report it to whoever maintains the software."),
        ),
        "worklist": (
            Text("在列，汉字正确（{character_set}）", "there, in Chinese ({character_set})"),
            _NONE,
        ),
        "worklist_pinyin": (
            Text("在列，姓名为拼音", "there, its name in pinyin"),
            Text(
                '若设备能显示汉字：rdc device worklist {ae_title} GB18030（或 "ISO_IR 192"）',
                'If the device shows Chinese: rdc device worklist {ae_title} GB18030 (or "ISO_IR'
                ' 192").',
            ),
        ),
        "worklist_failed": (
            Text("失败：{said}", "failed: {said}"),
            Text("运行 rdc doctor", "Run rdc doctor."),
        ),
        "orders": (Text("最近 {at}，{code}", "last {at}, {code}"), _NONE),
        "orders_refused": (
            Text("最近 {at} 的消息被拒：{code}", "the last, {at}, was refused: {code}"),
            Text(
                "请 HIS 方查看收到的应答；对照 connect-a-his 文档",
                "Ask the HIS for the answer it got; see the guide connect-a-his.",
            ),
        ),
        "orders_silent": (
            Text("30 天内没有消息", "no message within 30 days"),
            Text(
                "请 HIS 方重发，检查端口和防火墙", "Ask the HIS to send; check port and firewall."
            ),
        ),
        "orders_none": (
            Text(
                "未登记 HIS（申请可由门户录入）",
                "no HIS is registered; orders can be made in the portal",
            ),
            _NONE,
        ),
        "destination_works": (Text("应答正常：{said}", "answers: {said}"), _NONE),
        "destination_reached": (
            Text(
                "可连通，首份报告送达后确认：{said}", "reached; the first report will tell: {said}"
            ),
            _NONE,
        ),
        "destination_unreachable": (
            Text("连不上：{said}", "not reached: {said}"),
            Text(
                "核对地址与端口、双方防火墙，对方系统是否运行",
                "Check address and port, the firewalls of both sides, and that it runs.",
            ),
        ),
        "destination_no_answer": (
            Text("已连接但没有应答：{said}", "connected, and no answer: {said}"),
            Text(
                "核对端口是否属于该系统、AE 名是否正确",
                "Check that the port is this system's, and its AE title.",
            ),
        ),
        "destination_not_known": (
            Text("对方不接受本中心：{said}", "it does not let us in: {said}"),
            Text("请对方登记本中心的 AE 名或账号", "Ask them to register our AE title or account."),
        ),
        "destination_not_taken": (
            Text("对方不接收此类内容：{said}", "it does not take what we send: {said}"),
            Text(
                "请对方启用所需的服务类或格式", "Ask them to enable the kind of object or message."
            ),
        ),
        "destination_their_error": (
            Text("对方报错：{said}", "an error of theirs: {said}"),
            Text("请对方查看其日志和磁盘空间", "Ask them to look at their log and disk."),
        ),
        "destination_not_secured": (
            Text("证书不符：{said}", "certificates do not fit: {said}"),
            Text(
                "核对双方证书、名称与信任的签发机构",
                "Compare both certificates, their names and the authorities trusted.",
            ),
        ),
        "destination_not_allowed": (
            Text("地址不允许呼叫：{said}", "its address is not called: {said}"),
            Text(
                "更正地址；确有需要时设置 RDC_OUTBOUND_ALLOW",
                "Correct it; if it is meant, RDC_OUTBOUND_ALLOW.",
            ),
        ),
        "destination_not_set_up": (
            Text("本中心设置不完整：{said}", "something here is missing: {said}"),
            Text("更正该送达地址的设置与文件", "Correct its settings and files here."),
        ),
        "destination_none": (
            Text(
                "没有登记：报告只能由人员在门户查看",
                "none: reports are opened in the portal alone",
            ),
            Text("rdc destination connect --help", "rdc destination connect --help"),
        ),
        "receiver_clock": (Text("一致", "the same"), _NONE),
        "receiver_clock_ahead": (
            Text("比本中心快 {apart}（时:分:秒）", "{apart} (h:mm:ss) ahead of ours"),
            Text(
                "请对方启用 NTP；相差超过 5 分钟时，对方会拒收带签名的通知",
                "Ask them to use NTP; from five minutes on a receiver refuses signed messages.",
            ),
        ),
        "receiver_clock_behind": (
            Text("比本中心慢 {apart}（时:分:秒）", "{apart} (h:mm:ss) behind ours"),
            Text(
                "请对方启用 NTP；相差超过 5 分钟时，对方会拒收带签名的通知",
                "Ask them to use NTP; from five minutes on a receiver refuses signed messages.",
            ),
        ),
        "delivered": (Text("{at}", "{at}"), _NONE),
        "delivered_never": (Text("尚未送达过报告", "no report has gone there yet"), _NONE),
        "delivered_late": (
            Text("{number} 份等待，最早 {since}", "{number} wait, the first since {since}"),
            Text("在送达页面查看对方的应答", "The deliveries page tells what the receiver says."),
        ),
        "certificate": (Text("有效至 {until}", "until {until}"), _NONE),
        "certificate_ending": (
            Text("有效至 {until}", "until {until}"),
            Text("请对方及时更换证书", "Ask the receiver to renew it in time."),
        ),
        "certificate_failed": (
            Text("{said}", "{said}"),
            Text(
                "核对对方证书、名称与信任的签发机构",
                "Compare the receiver's certificate, its name and the authorities trusted.",
            ),
        ),
        "token": (Text("有效至 {until}", "until {until}"), _NONE),
        "token_endless": (
            Text("无期限", "without an end"),
            Text("轮换为有期限的：rdc site token rotate", "Rotate it: rdc site token rotate"),
        ),
        "token_ending": (
            Text("有效至 {until}", "until {until}"),
            Text("轮换：rdc site token rotate", "Rotate it: rdc site token rotate"),
        ),
        "token_over": (
            Text("{until} 已到期", "it ended {until}"),
            Text(
                "轮换：rdc site token rotate，或撤销",
                "Rotate it (rdc site token rotate) or revoke it.",
            ),
        ),
        "token_none": (
            Text("没有（不使用接口时不需要）", "none; its software uses no interface"),
            _NONE,
        ),
        "people": (
            Text(
                "医生 {doctors}，技师 {technicians}", "{doctors} doctors, {technicians} technicians"
            ),
            _NONE,
        ),
        "people_none": (
            Text("没有医生可登录", "no doctor can sign in"),
            Text("rdc user add --help", "rdc user add --help"),
        ),
        "broken": (
            Text("检查本身出错：{said}", "the check itself failed: {said}"),
            Text("见工作进程日志", "See the worker's log."),
        ),
    }
)
"""Of each reason: what was found, and what to do."""


def told(finding: Finding, language: Language) -> Told:
    """Return a finding in words."""
    what, expected = LOOKED_AT[finding.check]
    found, remedy = FOUND[finding.reason]
    facts = dict(finding.facts)
    return Told(
        what.in_language(language),
        expected.in_language(language),
        found.in_language(language).format(**facts),
        remedy.in_language(language).format(**facts),
    )
