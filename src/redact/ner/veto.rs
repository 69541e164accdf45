//! Words that are no names although they look like some, and words after which even a lower-case word may be one.

use super::Kind;
use super::feature::Running;
use super::fold::{is_han, is_letter};

/// Common words that start like a name: a surname's character, then a usual one of given names.
const HAN: &[&str] = &[
    "周一", "周二", "周三", "周四", "周五", "周六", "周日", "万一", "万分", "任何", "任意", "任务", "任职", "伍佰",
    "余下", "何况", "何时", "何必", "何处", "关心", "关于", "关注", "关键", "关闭", "冷静", "单位", "单独", "厉害",
    "双方", "叶子", "古代", "史上", "向来", "周到", "周围", "周末", "周边", "和平", "和谐", "喜欢", "安全", "安心",
    "安静", "安排", "安装", "容易", "宁静", "尚未", "常常", "常见", "平安", "平静", "应该", "康复", "强大", "成功",
    "成立", "成长", "文明", "方便", "方向", "方式", "方法", "方案", "时间", "明天", "明白", "明确", "易于", "景色",
    "曾经", "有关", "有时", "柔和", "毛病", "水平", "江山", "温和", "温暖", "温柔", "温馨", "温度", "满意", "满足",
    "牛奶", "王者", "白天", "石头", "祝福", "祝您", "空间", "简单", "简直", "管理", "纪念", "经常", "红包", "终于",
    "胡说", "舒服", "舒适", "花园", "若干", "计划", "许多", "谢谢", "贝壳", "费用", "贺卡", "车辆", "连接", "金额",
    "钱包", "闪光", "雷同", "顾客", "项目", "马上", "高兴", "高度", "高级", "高效", "高速", "麻烦", "黄金", "黄昏",
    "齐全", "龙头", "云端", "元素", "全部", "全新", "党员", "充分", "解决", "解释", "严重", "严格", "干净", "干部",
    "万能", "符合", "荣幸", "言语", "幸福", "阳光", "晴朗", "晚安", "夏天", "秋天", "冬天",
];

/// Common words that are names too: alone they count as one only when the tagger is [`SURE`].
const DOUBTFUL: &[&str] = &[
    "will", "may", "mark", "grace", "hope", "bill", "rose", "faith", "joy", "art", "drew", "grant", "chase", "pat",
    "sue", "rob", "dawn", "april", "june", "august", "summer", "autumn", "crystal", "ruby", "amber", "pearl", "guy",
    "gene", "frank", "jack", "julia", "carol", "charity", "patience", "sunny", "van", "page", "price", "young", "long",
    "short", "brown", "green", "black", "white", "gray", "king", "major", "miles", "max", "rich", "wade", "reed",
    "bush", "church", "field", "stone", "wood", "woods",
];

/// Words with a capital that are never a name alone.
const NEVER: &[&str] = &[
    "an",
    "the",
    "a",
    "i",
    "you",
    "he",
    "she",
    "it",
    "we",
    "they",
    "this",
    "that",
    "hi",
    "hello",
    "thanks",
    "dear",
    "please",
    "yes",
    "no",
    "ok",
    "not",
    "if",
    "when",
    "what",
    "who",
    "how",
    "why",
    "where",
    "python",
    "java",
    "rust",
    "json",
    "api",
    "http",
    "url",
    "ceo",
    "cto",
    "faq",
    "node",
    "react",
    "docker",
    "error",
    "note",
    "warning",
    "todo",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "january",
    "february",
    "march",
    "july",
    "september",
    "october",
    "november",
    "december",
];

/// The score from which on a doubtful word is a name.
const SURE: i32 = 75;
/// The score from which on a single Han character is a name.
const ALONE: i32 = 60;

/// After these a name may be written small: "my name is john".
const ASKING: &[&str] = &["is", "am", "im", "m", "called", "name", "named"];

/// Stands for each letter of a word but its first.
pub(super) const BLANK: char = '\0';

const fn hash(word: &str) -> u32 {
    let bytes = word.as_bytes();
    let mut hash = 0x811C_9DC5_u32;
    let mut rest = bytes;
    while let [first, others @ ..] = rest {
        hash = (hash ^ *first as u32).wrapping_mul(0x0100_0193);
        rest = others;
    }
    hash
}

/// Whether a name may follow this word, known by its hash.
pub(super) fn asks(id: u32) -> bool {
    ASKING.iter().any(|word| hash(word) == id)
}

/// Whether the entity is one of the common words.
pub(super) fn forbids(entity: Running, text: &[char], score: i32) -> bool {
    // Options of a question, points of a figure: letters without a word.
    let letters = text.iter().all(|c| *c == '.' || (is_letter(*c) && !is_han(*c)));
    if entity.kind == Kind::Person && letters && !text.contains(&BLANK) {
        return true;
    }
    if entity.units > 1 {
        return entity.kind == Kind::Person && HAN.iter().any(|word| word.chars().eq(text.iter().copied()));
    }
    let is = |words: &[&str]| words.iter().any(|word| hash(word) == entity.first);
    match text {
        // A surname, a country's short name; no organisation has one character.
        [c] if is_han(*c) => entity.kind == Kind::Organisation || score < ALONE,
        _ => is(NEVER) || (score < SURE && is(DOUBTFUL)),
    }
}
