"""Made-up texts around made-up names: what people write in chats, forms and mail, which news does not have."""

import re

from fill import fill
from templates_en import PINYIN

SYLLABLES = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华文玉兰辉建国红梅春生志海秀婷雪浩宇轩子涵梓欣怡思彤晨曦嘉佳俊豪博雅诗琪一诺若汐雨泽铭哲天佑皓可心语桐昊然安琪依诺梦洁晓东小燕立新德福永康庆云玲凤莲珍荣胜学良家宝振兴鹏飞龙翔晨阳瑞祥凯旋柏霖沐辰芷若亦菲书瑶婉清慧敏淑贞美琳佩珊颖倩薇蓉莉萍芬翠岚"
COMPOUND = ["欧阳", "司马", "上官", "诸葛", "东方", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "司徒", "令狐", "端木", "南宫", "独孤", "宇文", "长孙", "百里"]
RARE = "冼覃佘佟阚牟祁卞晏蔺仝逄麦舒翟邢骆戚缪苗蒲岑糜邬阮臧匡詹植敖慎亓冉辛区仇单查盖解繁员乐召车尚"
MINORITY = ["买买提", "艾力", "阿卜杜拉", "古丽", "阿依古丽", "热合曼", "吐尔逊", "努尔", "买合木提", "阿不都", "热依木", "玛依拉", "帕提古丽", "木拉提", "艾合买提", "依明", "库尔班", "迪丽努尔", "迪丽热巴", "迪力木拉提", "阿迪力", "江", "哈丽旦", "卡德尔", "托合提", "塔依尔", "尼亚孜", "祖丽菲亚", "扎西", "次仁", "卓玛", "多吉", "旺堆", "才让", "巴特尔", "其其格", "乌兰", "苏日娜", "斯琴", "格日勒", "阿布都热西提", "木塔里甫", "麦麦提", "肉孜", "阿地里", "亚生", "沙拉木", "图尔荪"]
TITLES = ["先生", "女士", "老师", "医生", "经理", "小姐", "同学", "师傅", "主任", "总", "律师", "教授", "大夫", "阿姨", "叔叔", "工", "队长", "护士", "博士", "同志"]
OCCUPATION = ["软件工程师", "产品经理", "学生", "老师", "医生", "会计", "司机", "设计师", "销售", "程序员", "护士", "律师", "厨师", "客户经理"]
COMPANY_MID = ["科技", "信息技术", "网络", "贸易", "电子", "文化传媒", "医药", "生物", "教育", "物流", "建筑", "机械", "餐饮", "软件", "数据", "智能", "投资", "实业", "食品", "能源"]
COMPANY_END = ["有限公司", "有限责任公司", "股份有限公司", "集团", "公司", "集团有限公司", "研究院", "事务所", "分公司"]
BRANDS = ["字节跳动", "美团", "小米", "华为", "拼多多", "京东", "网易", "滴滴出行", "携程", "联想", "比亚迪", "海康威视", "顺丰", "蔚来", "大疆", "旷视", "商汤", "同程", "格力", "海尔", "美的", "万科", "哔哩哔哩", "快手", "知乎", "搜狐", "新浪", "完美世界", "金山", "用友", "东软", "浪潮", "紫光", "科大讯飞", "中兴", "百度", "阿里巴巴", "腾讯"]
COMPANY_HEAD = "华中天宏创新星云智联信达恒通远鑫盛腾飞博思瑞安康捷科众源泰和美优百千万方正阳光蓝海汇金"
ROADS = ["中山", "人民", "解放", "建设", "和平", "文化", "学院", "长江", "黄河", "朝阳", "新华", "复兴", "天府", "科技", "滨江", "世纪", "南京", "北京", "淮海", "延安", "友谊", "迎宾", "环城", "工业", "望江", "中关村", "张江", "五一", "八一", "珠江", "东风", "胜利"]
SCHOOL = ["大学", "第一中学", "实验小学", "人民医院", "中心医院", "师范大学", "理工大学", "第二医院", "职业技术学院", "派出所", "人民法院", "公安局", "社区居委会"]

# In a template {N} is a whole name, {S} a surname, {G} a name without its surname, {L} an area, {A} an address, {C} a company, {I} an institution.
CHAT = """我叫{N},今年{D}岁
我是{N},想咨询一下
你好,我是{C}的{N}
您好,我叫{N},电话{T}
我的名字是{N}
我名叫{N},来自{L}
本人{N},身份证号{T}
本人姓名{N},现住{A}
姓名:{N}
姓名:{N} 电话:{T}
姓名 {N} 性别 男
姓名:{N},性别:女,出生地:{L}
联系人:{N}
联系人:{N} {T}
联系人 {N} 手机 {T}
收件人:{N},地址:{A},电话:{T}
收货人:{N}
收货人: {N}
收货地址:{A}
收货地址:{A},{N}收,{T}
寄件人:{N} 寄件地址:{A}
住址:{A}
家庭住址:{A}
地址:{A}
我住在{A}
我家住{A},麻烦送到楼下
我现在在{L}工作
我在{L}上班
我在{C}上班,职位是{J}
公司:{C}
单位名称:{C}
工作单位:{C}
所在公司:{C} 职位:{J}
申请人:{N},所属部门:技术部
负责人:{N}
负责人{N}表示没有问题
法定代表人:{N}
户名:{N} 卡号:{T}
开户名:{N}
患者:{N},男,{D}岁
患者{N},女,{D}岁,因发热就诊
病人{N}昨天出院了
病人姓名:{N} 主治医生:{N}
学生姓名:{N} 家长:{N}
甲方:{C} 乙方:{N}
甲方(盖章):{C}
乙方:{N},身份证号:{T}
紧急联系人:{N}(父亲)
经办人:{N}
审批人:{N}
客户{N}投诉物流太慢
客户姓名:{N}
用户{N}反馈无法登录
请联系{N}
请联系{N},电话{T}
请帮我转给{N}
请把文件发给{N}和{N}
麻烦找一下{N}
帮我给{N}写一封邮件
帮我写一封信给{N}{X}
帮我查一下{N}的订单
把这份合同发给{C}的{N}
告诉{N}明天下午三点开会
{N}你好
{N}您好,
尊敬的{N}{X}:
尊敬的{S}{X},您好
亲爱的{N}:
{S}{X}说明天可以
{S}{X}您好,请问什么时候方便
昨天{S}{X}给我打电话了
请问是{S}{X}吗
{N}{X}已经到了
{N}{X}今天请假
我老师叫{N}
我爸叫{N},我妈叫{N}
我妈妈{N}今年{D}岁
我老婆{N}是{J}
我老公{N}在{C}工作
我朋友{N}也想参加
我同事{N}昨天离职了
我女儿{N}在{I}上学
我儿子{N}今年{D}岁了
我和{N}是同学
我跟{N}说好了
同事{N}和{N}都不同意
和{N}一起吃饭
听说{N}要结婚了
今天{N}没来上班
{N}说他不去了
{N}的手机号是{T}
{N}的电话是多少
{N},{T},{A}
{N} {T} {A}
{A} {N} {T}
{N}:明天几点开会?
{N}:收到
@{N} 麻烦看一下
{N}在{C}担任{J}
{N}毕业于{I}
{N},男,{D}岁,{L}人
{N},女,19{D}年出生于{L}
{N}今年{D}岁,是一名{J}
下面是{N}的简历
简历 姓名 {N} 学校 {I} 公司 {C}
主讲人是{N}{X}
感谢{N}{X}的帮助
会议由{N}主持,{N}、{N}参加
参会人员:{N}、{N}、{N}
参会人:{N},{N},{N}
抄送:{N};{N}
发件人:{N}
签收人:{N}
签名:{N}
作者:{N}
翻译:{N}
记录人:{N}
快递员{N},电话{T}
司机{S}师傅的车牌号
房东{S}阿姨
老{S}今天不来
小{S},把报告发我
我是小{S}
{N}老师的课很好
{G},你到了吗
{G}说她晚点到
我叫{G}
从{L}到{L}的机票
{L}的天气怎么样
明天去{L}出差
我来自{L}
他是{L}人
寄到{L}要几天
{C}的合同到期了
{C}欠款未还
我要起诉{C}
{I}在哪里
去{I}怎么走
在{I}就诊
我在{I}读书
致{C}:
{C}招聘{J}
{C}与{C}签订协议
我姓{S}
免贵姓{S}
我姓{S},叫{N}
他叫{N}
她叫{N},是我的同事
孩子叫{N}
名字叫{N}的人
叫{N}的那个学生
原告{N}诉被告{N}
被告:{N},住{A}
原告:{C}
证人{N}称
被保险人:{N} 投保人:{N}
本合同由{N}与{C}签署
投诉人{N}反映{C}不退款
{N}借了{N}五千块钱
转账给{N}一千元
收款人:{N} 开户行:工商银行
{N}发来消息
{N}(已离职)
{N}({T})
用户名:{N}
昵称:{G} 真实姓名:{N}
请假人:{N} 请假时间:三天
{"name": "{N}", "city": "{L}", "phone": "{T}"}
{"name":"{N}","address":"{A}"}
"姓名": "{N}", "年龄": {D}
| {N} | {T} | {L} |
| {N} | {J} | {C} |
{N},男,{D},{L}
{N},女,{D},{L}
1. {N} 2. {N} 3. {N}
- {N}:负责前端
**{N}** 是项目负责人
**{W}**和**{W}**
- **{W}**:{W}{W}
1. **{W}**:{W}
**{W}{W}**
### {W}{W}
[{W}](#{W})
[**{W}**{W}](#{W}{W})
|[**{W}**{W}](#{W}) | {W} |
`{W}`
判断是否**{W}**{W}
**{W}**转**{W}**
# {N}的简历
《{N}传》
好的,{S}{X}。我已为您查询到订单。
好的,{N},请问有什么可以帮您?
您好,{S}{X}!您的快递已由{S}师傅派送
{W}怎么用
{W}很好玩
在{W}上购买
打开{W}搜索
"name": "{W}", "type": "{W}"
| {W} | {W} |
**{W}**:{W}
# {W}
- {W}
《{W}》
{R}{N}
{R}{N}的态度很好
我要投诉{R}{N}
我的{R}{N}昨天说的
我{R}{N}住在{L}
{R}是{N}
{R}叫{N}
{R}:{N}
我的{R}叫{N}
{R}{S}{X}
hello,我是{E}
我叫{E},英文名是{E}
请{E}帮忙
{E}在{C}工作
{E}说明天到
{E}和{E}已经同意
@{E} 收到请回复
请问{N}是谁
介绍一下{N}
{N}和{N}谁厉害
{N}的电影什么时候上映
{N}是{C}的创始人
{N}、{N}、{N}都来了
{W}、{W}和{W}
关于{W}的问题
什么是{W}
{W}的意思是什么
我想买{W}
{W}很重要
这是{W},不是{W}
请写一篇关于{W}的作文
{W},{W},{W}
{W}:{W}
没有{W}就没有{W}
他{W}了
我们要{W}
{W}和{W}的区别
非常{W}
{R}不在
{R}姓{S}
{X}姓{S}
{R}姓{S},叫{N}
{R}今天休息
本人{W}
本人{W}以上信息
今天{W}
请{W}
于是{W}
客户{W}
用户{W}
联系人{W}
负责人{W}
我是{W}
我叫他{W}
{W}功能
{W}系统
支持{W}和{W}
""".split("\n")

ROLES = ["客服", "司机", "保安", "房东", "护士", "班主任", "导师", "中介", "博主", "老板", "记者", "店员", "店长", "主播", "教练", "队友", "邻居", "室友", "同桌", "组长", "法务", "会计", "助理", "秘书", "顾问", "律师", "学长", "前男友", "男朋友", "女朋友", "表哥", "表姐", "舅舅", "姑姑", "爷爷", "奶奶", "外婆", "哥哥", "姐姐", "弟弟", "妹妹", "演员", "歌手", "作家", "董事长", "创始人", "总经理", "业务员", "快递小哥", "外卖员", "嫌疑人", "犯罪嫌疑人", "被害人", "当事人", "委托人", "代理人", "受益人", "承租人", "出租人"]

PLAIN = """我今天很高兴
任何问题都可以联系客服
方便的时候回复我
马上就到
温馨提示:请保管好您的物品
黄金价格又涨了
请问怎么用这个接口
帮我写一个排序函数
今天天气不错
谢谢你的帮助
我想退货,怎么办理
周末去哪里玩
什么时候发货
为什么我的代码报错了
请把下面的文字翻译成英文
总结一下这篇文章
我的订单什么时候到
安全第一,注意防护
解决方案如下
高级工程师和高效的方法
常见问题与解答
万一失败了怎么办
许多人都喜欢
双方同意后签字
时间安排表
单位和部门
管理员已经处理
余额不足,请充值
项目经理在吗
联系人列表
联系人信息不能为空
姓名不能为空
姓名和电话是必填项
地址格式不正确
请输入姓名
请填写收货地址
联系客服
收货地址管理
我是学生
我是一名程序员
我叫了外卖
我叫他不要来
他叫我去
我是来咨询的
我是第一次用
用户登录失败
用户名或密码错误
负责人不在
客户不满意
老师说明天考试
医生说没事
先生,您的包裹到了
老板今天不在
尊敬的用户:
尊敬的客户您好
亲爱的朋友们
和朋友一起去
车辆管理系统
白天和晚上
明天下午开会
请联系我们
请联系管理员
请联系卖家退款
高兴地告诉大家
毛病很多,质量不行
水平一般
江湖救急
于是我就走了
石头很重
成功了
平时不怎么用
祝您生活愉快
金额不对
花园里有花
严重影响使用
易用性很好
计算机基础知识
关于这个问题
向上级汇报
添加新的功能
添加用户和文本
请输入文本内容
视频时长和文件大小
特殊字符的处理
运营人员可以查看
支持多种编程语言
点击按钮提交表单
函数返回一个列表
A.{W} B.{W} C.{W} D.{W}
A. {W} B. {W} C. {W} D. {W}
A、{W}
B、{W}
(A){W} (B){W}
D.{W}
E.以上都不对
答案是B
答案:D
正确答案是C
选A
选项A和选项B
甲、乙、丙、丁四人
甲说乙在说谎,丁说丙在说谎
甲乙两地相距100千米
从A地到B地
A比B大,C比D小
三角形ABC的面积
丁队和丙队
下列说法正确的是
单选题:下面哪一项是对的?
于是程序就结束了
位于首位
参数说明和默认值
数据库连接失败
安装依赖后运行
项目进度表
方法一:先安装依赖
方案二更好
时间复杂度是多少
本人郑重承诺以上信息真实有效
本人同意并接受该协议
本人已阅读并理解
特此声明
此致敬礼
和平与发展
文件上传失败
文明礼貌
白色的衬衫
康复训练
古代历史
""".split("\n")


def pick_zh(dice, names, known):
    """A name: mostly put together from a surname and usual syllables, sometimes one from the news."""
    surnames, male, female = names
    roll = dice.random()
    if roll < 0.22:
        return dice.choice(known)
    if roll < 0.30:
        surname = dice.choice(COMPOUND)
    elif roll < 0.40:
        surname = dice.choice(RARE)
    elif roll < 0.7:
        surname = dice.choice(surnames)[0]
    else:
        surname = dice.choices([n for n, _ in surnames], [w for _, w in surnames])[0]
    return surname + given(dice, names)


def given(dice, names):
    _, male, female = names
    roll = dice.random()
    if roll < 0.35:
        return dice.choice(male + female)
    if roll < 0.6:
        return dice.choice(SYLLABLES)
    return dice.choice(SYLLABLES) + dice.choice(SYLLABLES)


def dotted(dice, foreign):
    if dice.random() < 0.3:
        return dice.choice(foreign)
    return dice.choice("···•").join(dice.choice(MINORITY) for _ in range(2 if dice.random() < 0.9 else 3))


def area(dice, areas):
    _, provinces, _, _, _ = areas
    roll = dice.random()
    if roll < 0.3:
        return dice.choice(["北京", "上海", "广州", "深圳", "杭州", "成都", "武汉", "南京", "西安", "重庆", "天津", "苏州", "长沙", "青岛", "大连", "厦门", "合肥", "昆明", "香港", "台北", "东京", "纽约", "伦敦", "新加坡", "美国", "日本"])
    if roll < 0.6:
        return dice.choice(areas[2]).removesuffix("市")
    return dice.choice(areas[dice.choice([1, 2, 2, 3])] or provinces)


def address(dice, areas):
    parts = ""
    roll = dice.random()
    if roll < 0.45:
        parts += dice.choice(areas[0]) + "|"
    if roll < 0.8:
        parts += dice.choice(areas[1]) + "|"
    parts += dice.choice(areas[2])
    if dice.random() < 0.2:
        parts += "|" + dice.choice(areas[3])
    return parts + "|" + dice.choice(ROADS) + dice.choice(["路", "街", "大道", "东路", "西路", "南路", "北路", "巷", "大街"])


def detail(dice):
    return str(dice.randint(1, 999)) + "号" + dice.choice(["", f"{dice.randint(1, 30)}栋{dice.randint(1, 4)}单元{dice.randint(101, 3202)}室", f"{dice.randint(1, 30)}楼", f"{dice.randint(101, 2999)}室"])


def company(dice, areas):
    roll = dice.random()
    if roll < 0.4:
        head = "".join(dice.choice(COMPANY_HEAD) for _ in range(2))
    elif roll < 0.7:
        head = "".join(dice.choice(COMPANY_HEAD + SYLLABLES) for _ in range(dice.choice([2, 3, 4])))
    else:
        head = dice.choice(BRANDS)
        if dice.random() < 0.4:
            return head
    where = dice.choice(["", "北京", "上海", "深圳", "杭州", "广州", "南京", "成都市", dice.choice(areas[1])])
    return where + head + dice.choice(COMPANY_MID) + dice.choice(COMPANY_END)


def chat_zh(dice, names, known, foreign, areas, words, english, count):
    """`words`: common words that start as names do."""
    surnames = [n for n, _ in names[0]] + list(RARE)
    makers = {
        "N": lambda d: (dotted(d, foreign) if d.random() < 0.1 else pick_zh(d, names, known), "P", ""),
        "S": lambda d: (d.choice(surnames) if d.random() < 0.9 else d.choice(COMPOUND), "P", ""),
        "G": lambda d: (d.choice(["小", "阿", ""]) + d.choice(SYLLABLES) + d.choice(SYLLABLES), "P", ""),
        "X": lambda d: (d.choice(TITLES), None, ""),
        "R": lambda d: (d.choice(ROLES), None, ""),
        "W": lambda d: (d.choice(words), None, ""),
        "E": lambda d: (d.choice(english) + d.choice(["", "", " " + d.choice(PINYIN)]), "P", ""),
        "J": lambda d: (d.choice(OCCUPATION), None, ""),
        "L": lambda d: (area(d, areas), "L", ""),
        "A": lambda d: (address(d, areas), "L", detail(d)),
        "C": lambda d: (company(d, areas), "O", ""),
        "I": lambda d: (d.choice(areas[1]).removesuffix("市")[:4] + d.choice(SCHOOL), "O", ""),
        "D": lambda d: (str(d.randint(10, 89)), None, ""),
        "T": lambda d: ("1" + "".join(d.choice("0123456789") for _ in range(10)), None, ""),
    }
    chat = [line for line in CHAT if line]
    quiet = [line for line in PLAIN if line]
    ends = ["", "", "。", "!", "\n", ",谢谢", "。谢谢!", " "]
    for _ in range(count):
        text, entities = "", []
        for _ in range(dice.choice([1, 1, 2, 3])):
            template = dice.choice(chat) if dice.random() < 0.72 else dice.choice(quiet)
            more, found = fill(dice, template, makers)
            entities += [[s + len(text), e + len(text), k] for s, e, k in found]
            text += more + dice.choice(ends)
            if text[-1] not in "。!\n ":
                text += dice.choice([",", "。", "\n", " "])
        yield text, entities


SOMEONE = re.compile("朋友|老公|老婆|同事|老板|服务员|前台|经理|妈妈|爸爸|同学|女儿|儿子")
NAMED = re.compile("《|作者|主角|著|先生|女士|小姐|老师|教授|博士|总统|主演|演员|导演|本书")


def reviews(dice, comments, names, known, areas):
    """Shoppers' reviews as they are, when nothing in them looks like a name; people in them are given names here and there."""
    usual = set(known)
    for line in comments:
        line = line.strip()
        if not 4 < len(line) < 400 or NAMED.search(line):
            continue
        if any(line[i:i + n] in usual for n in (2, 3) for i in range(len(line) - n + 1)):
            continue
        text, entities, last = "", [], 0
        for match in SOMEONE.finditer(line):
            if dice.random() < 0.4:
                text += line[last:match.start()] + (match.group() if dice.random() < 0.3 else "")
                name = pick_zh(dice, names, known)
                entities.append([len(text), len(text) + len(name), "P"])
                text += name
                last = match.end()
        yield text + line[last:], entities, "LO"
