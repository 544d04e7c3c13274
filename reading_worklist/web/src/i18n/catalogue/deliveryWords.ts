import type { Entry } from '../entry';

/** What a delivery met, in plain words, and what to do about it; see `deliveryError.ts`. */
export const deliveryWords = {
  'delivery.met.unreachable': ['连接不上接收端', 'The receiver cannot be reached'],
  'delivery.met.unreachable.remedy': [
    '请机构确认接收设备已开机、网络和 VPN 正常、端口开放。恢复后会自动补发。',
    'Ask the site whether the machine is on, its network and VPN work, and the port is open. It is sent again by itself.',
  ],
  'delivery.met.unknownHost': ['找不到接收端的主机名', 'The receiver’s host name is not known'],
  'delivery.met.unknownHost.remedy': [
    '请核对目的地的主机名，或改用 IP 地址。',
    'Check the host name of the destination, or use its IP address.',
  ],
  'delivery.met.rejected': ['接收端不认识我们', 'The receiver does not know us'],
  'delivery.met.rejected.remedy': [
    '请在接收设备上登记我们的 AE 标题和地址，并核对目的地的 AE 标题。',
    'Register our AE title and address at the receiver, and check the AE title of the destination.',
  ],
  'delivery.met.notAccepted': ['接收端不接受这类文件', 'The receiver does not take this kind of document'],
  'delivery.met.notAccepted.remedy': [
    '请在接收设备上开启封装 PDF（Encapsulated PDF）接收，或改用其他回传方式。',
    'Switch on Encapsulated PDF at the receiver, or let the report go another way.',
  ],
  'delivery.met.noAnswer': ['接收端没有应答', 'The receiver took it and did not answer'],
  'delivery.met.noAnswer.remedy': [
    '请查看接收设备是否繁忙或卡住。会自动重试，不会产生重复报告。',
    'See whether the receiver is busy or hangs. It is tried again, and no second copy comes of that.',
  ],
  'delivery.met.full': ['接收端空间不足', 'The receiver has no room left'],
  'delivery.met.full.remedy': [
    '请机构清理接收设备的存储空间。恢复后会自动补发。',
    'Ask the site to free space there. It is sent again by itself.',
  ],
  'delivery.met.refusedContent': ['接收端拒收这份报告', 'The receiver will not take this report'],
  'delivery.met.refusedContent.remedy': [
    '多为患者或检查在接收端不存在。请机构核对后，再重新发送。',
    'Mostly the patient or the exam is not known there. Let the site check, then send it again.',
  ],
  'delivery.met.forbidden': ['接收端不允许我们写入', 'The receiver does not let us in'],
  'delivery.met.forbidden.remedy': [
    '访问令牌或证书已失效。请系统管理员更换后重新发送。',
    'The token or certificate is not taken. Let the system administrator renew it, then send again.',
  ],
  'delivery.met.serverError': ['接收端出错', 'The receiver has an error of its own'],
  'delivery.met.serverError.remedy': [
    '请机构信息科查看接收系统。会自动重试。',
    'Let the site’s IT look at it. It is tried again by itself.',
  ],
  'delivery.met.tls': ['加密连接未能建立', 'No secured connection could be made'],
  'delivery.met.tls.remedy': [
    '请核对双方证书是否过期、是否互相信任。',
    'Check whether the certificates of both sides have ended, and trust each other.',
  ],
  'delivery.met.switchedOff': ['目的地已停用', 'The destination is switched off'],
  'delivery.met.switchedOff.remedy': ['请启用目的地，或改送别处。', 'Switch it on, or send the report elsewhere.'],
  'delivery.met.superseded': ['已有新版本，不再发送', 'Not sent: another version takes its place'],
  'delivery.met.redirected': ['已改送其他目的地', 'Sent to another destination instead'],
  'delivery.met.interrupted': ['发送中断，结果不明', 'It was interrupted; what came of it is not known'],
  'delivery.met.interrupted.remedy': [
    '会自动再发一次，不会产生重复报告。',
    'It is sent again, and no second copy comes of that.',
  ],
  'delivery.met.ours': ['本系统内部错误', 'An error of this system'],
  'delivery.met.ours.remedy': ['请系统管理员查看日志。', 'Let the system administrator look at the log.'],
  'delivery.met.document': ['本地报告文件有问题', 'Something of the report cannot be read here'],
  'delivery.met.document.remedy': [
    '请系统管理员核对存储后重新发送。',
    'Let the system administrator check the store, then send it again.',
  ],
} as const satisfies Record<string, Entry>;
