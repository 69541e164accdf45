"""Sentences with one slot `{}` for a value, by entity; each belongs to one half of the set for good.

A clause names what the table asks for ("context required") or leaves it out where the value speaks for itself. The halves use
different wording, so that a rule that was fitted to `dev` is judged on sentences that nobody looked at.
"""

# Any value whose form is enough: (dev, test).
BARE = (
    ["{}", "我这边是{}，你记一下", "收到，{}对吧？", "please check {} for me", "Here it is: {}", "这个{}麻烦确认"],
    ["结果：{}。", "他发来的是{}吗", "麻烦把{}录入系统", "we got {} from the customer", "see {} below", "就用{}这个吧，谢谢"],
)

KEYED = {
    "PHONE_CN": (
        ["我的手机号是{}，微信同号", "电话{}", "联系电话：{}，请尽快回复", "call me at {} after six", "tel: {}", "用户{}已注册"],
        ["手机{}随时可以打", "请拨打{}找我", "预留号码为{}", "my cell is {}, text first", "短信发到{}了吗", "收件人手机：{}"],
    ),
    "TEL_CN": (
        ["公司座机{}", "电话：{}", "office tel {}", "传真 {}"],
        ["办公室电话是{}，上班时间打", "固定电话：{}，谢谢", "联系我们 {}", "fax: {}"],
    ),
    "PHONE_INTL": (
        ["call {} when you land", "phone: {}", "海外电话{}", "reach me on {} please", "{}"],
        ["my number is {}.", "tel {} (work)", "国外的号码是{}，可以打", "WhatsApp {}", "contact: {}"],
    ),
    "ID_CN": (
        ["身份证号{}", "身份证：{}，请核对", "ID card no. {}", "证件号码 {}", "持证人{}已登记", "我叫小王，{}，帮我查一下"],
        ["身份证号码是{}，没有错", "请提供身份证。{}", "证件：{}", "identity number: {}", "资料如下 {} 请查收", "实名信息{}提交成功"],
    ),
    "ID_CN15": (["老身份证号{}", "身份证：{}", "一代身份证号码 {}"], ["旧版身份证号码是{}", "身份证 {}（15位）", "父亲的身份证号：{}"]),
    "BANKCARD": (
        ["卡号{}", "请打到银行卡{}", "my visa is {}", "card number: {}", "转账给{}吧", "{}"],
        ["银行卡号是{}，开户行工行", "打款账户 {}", "charge it to {} please", "credit card {}", "信用卡：{}", "收款卡{}"],
    ),
    "EMAIL": (
        ["邮箱{}", "请发到{}，谢谢", "email me at {}", "contact {} for details", "<{}>", "抄送{}"],
        ["我的邮箱是{}", "发送至{}即可", "write to {}.", "mail: {}", "cc {}, thanks", "用{}登录"],
    ),
    "EMAIL:spelled": (["email me: {}", "邮箱 {}"], ["my email is {}", "邮箱是{} 谢谢"]),
    "IP": (
        ["服务器IP是{}", "connect to {} now", "from {} port 50422", "client={}", "攻击来自{}，已封禁", "登录IP：{}"],
        ["IP地址{}", "ping {} 不通", "remote_addr: {}", "blocked {} at the firewall", "源地址{}频繁访问", "host {} is down"],
    ),
    "MAC": (["MAC地址{}", "mac: {}", "device {} joined"], ["网卡物理地址 {}", "hwaddr {}", "设备{}已离线"]),
    "IMEI": (["IMEI {}", "手机IMEI：{}", "imei={}"], ["IMEI号是{}", "device IMEI: {}", "串号（IMEI）{}"]),
    "IMSI": (["IMSI {}", "imsi={}", "卡的IMSI：{}"], ["IMSI号是{}", "subscriber IMSI: {}", "SIM卡 IMSI {}"]),
    "USCC": (["统一社会信用代码：{}", "税号{}", "开票信息 {}"], ["信用代码是{}", "纳税人识别号 {}", "公司资料：{}，请开票"]),
    "PASSPORT_CN": (["护照号{}", "passport no. {}", "护照：{}"], ["护照号码是{}", "passport number: {}", "持护照{}入境"]),
    "EEP": (["港澳通行证{}", "往来港澳通行证号：{}"], ["港澳通行证号码是{}", "通行证（港澳）：{}"]),
    "HRP": (["回乡证{}", "回乡证号码：{}"], ["港澳居民来往内地通行证（回乡证）{}", "他的回乡证号是{}"]),
    "MTP": (["台胞证{}", "台胞证号码：{}"], ["台湾居民来往大陆通行证（台胞证）{}", "她的台胞证号是{}"]),
    "HKID": (["香港身份证{}", "HKID: {}", "香港居民身份證號碼 {}", "香港身份證{}已登記"], ["香港身份证号码是{}", "HKID no. {}", "持有香港身份證{}的居民", "香港身分證：{}"]),
    "MOID": (["澳门身份证{}", "澳門居民身份證號碼：{}"], ["澳门身份证号是{}", "澳門身份證 {}"]),
    "TWID": (["台湾身份证{}", "身分證字號：{}", "身分證 {} 已驗證"], ["身分證字號是{}", "台灣身分證：{}", "居留證號 {}"]),
    "PLATE": (["车牌{}", "车牌号：{}", "{}违章停车", "刚才那辆{}是谁的"], ["车牌号码是{}", "请{}的车主挪车", "登记车辆 {}", "我的车是{}"]),
    "WECHAT": (["微信：{}", "加我微信{}", "vx {}", "wx: {}"], ["微信号是{}", "微信 {}", "VX：{}", "我的微信号：{}，备注来意"]),
    "QQ": (["QQ：{}", "QQ{}", "加qq {}"], ["QQ号是{}", "我的QQ: {}", "扣扣不用了，QQ {}"]),
    "SOCIAL": (["社保号{}", "公积金账号：{}", "医保卡号 {}", "军官证号{}"], ["社保账号是{}", "公积金号：{}", "医保号：{}", "军官证：{}"]),
    "IBAN": (["IBAN {}", "iban: {}", "wire to {} please", "汇款账户{}"], ["my IBAN is {}", "pay into {}", "账户（IBAN）：{}", "account {} at our bank"]),
    "US_SSN": (["SSN {}", "my ssn is {}", "social security number: {}"], ["SSN: {}", "her social security no. is {}", "ssn={}"]),
    "UK_NINO": (["NINO {}", "National Insurance number: {}", "NI number {}"], ["my NI number is {}", "NINO: {}", "national insurance no. {}"]),
    "PERSON": (
        ["我叫{}", "联系人：{}", "姓名：{}", "{}先生您好", "请问{}女士在吗", "收件人：{}"],
        ["我的名字叫{}", "{}老师，您好", "经办人：{}", "昨天{}医生给我开了药", "患者姓名 {}", "阿里巴巴的{}经理来过"],
    ),
    "PERSON:en": (["My name is {}.", "Dear {},", "I spoke with {} yesterday."], ["Best regards,\n{}", "Mr. {} will call back", "Patient: {}"]),
    "ADDRESS": (["我住在{}", "收货地址：{}", "寄到{}"], ["家庭住址：{}", "请送到{}", "地址是{}，别送错"]),
    "ADDRESS:en": (["I live at {}.", "Ship to: {}"], ["My address is {}", "Deliver it to {}, please"]),
    "DOB": (["出生日期：{}", "我生于{}", "生日{}"], ["出生年月日是{}", "她出生于{}", "生日：{}"]),
    "DOB:en": (["DOB: {}", "born on {}"], ["date of birth: {}", "my birthday is {}"]),
}

# The secret's own text is the sentence where it brings its keyword along.
SECRET = (
    ["{}", "我的key是{}", "密钥：{}", "use {} for now", "export KEY={}", "这里有一段配置 {} 帮我看看"],
    ["请用{}调用", "把 {} 删掉", "the key is {}", "config: {}", "报错了，{} 不能用", "kept in vault: {}"],
)
SECRET_OWN = (["{}", "帮我看看：\n{}", "here:\n{}\n"], ["日志里有\n{}\n怎么办", "{}\n", "see below\n\n{}"])

# What stands around a sentence: (name, text with `{}`, whether the sentence is escaped as in a JSON string).
CARRIERS = (
    [
        ("plain", "{}", False), ("chat-zh", "你好，\n{}\n辛苦了！", False), ("chat-en", "Hi there! {} Thanks.", False), ("json", '{{"role":"user","content":"{}"}}', True),
        ("csv", "2024-03-01,ok,{},done", False), ("log", "2024-03-01T10:22:31.482Z INFO [worker-3] {}", False), ("list", "- 第一项\n- {}\n- 第三项", False),
        ("code", 'console.log("{}");', True), ("long-zh", "上周我们开会讨论了产品的路线，大家觉得体验还可以再改进一些。{}下周再继续讨论，请大家准备好材料。", False),
    ],
    [
        ("quoted", "> {}\n\n好的，已经看到了。", False), ("table", "| 项目 | 内容 |\n|---|---|\n| 备注 | {} |\n", False), ("yaml", "note: |\n  {}\n", False),
        ("json-array", '{{"input":["{}","再见"],"stream":true}}', True), ("log-en", "Mar  1 10:22:31 web01 app[812]: {}", False), ("html", "<p>{}</p>", False),
        ("long-en", "We talked about the roadmap last week and most of us liked where it is going. {} The rest can wait until the next meeting.", False), ("sql", "INSERT INTO notes (body) VALUES ('{}');", False),
        ("dialogue", "用户：{}\n客服：好的，请稍等。", False),
    ],
)  # fmt: skip
