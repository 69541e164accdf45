//! The built-in rules, as data: what private data looks like, what must stand around it, how it is checked.
//!
//! The build script reads this file too (it compiles the patterns), so that it leans on nothing but itself. Patterns are in the language
//! of `compile`, over normalised characters: full-width forms are ASCII's, zero-width characters are gone, all dashes are `-`, all middle
//! dots `·`, all spaces ` `. `{S}` stands for what may separate two digits, `{H}` for a hexadecimal digit, `{P}` for the provinces' short
//! names, `{X}` for common surnames, `{T}` for characters of transliterated names, `{C}` for places with which an address begins.

/// What may stand on one side of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Anything.
    Any,
    /// No `[0-9A-Za-z_]`.
    Word,
    /// No `[0-9A-Za-z_]` and none of `.+-@%`, of which an e-mail address may have more in front.
    Mail,
    /// Begin or end of text, white space, punctuation that opens or closes.
    Gap,
    /// No Han.
    NoHan,
    /// An `@`.
    At,
    /// What ends a value: a gap, or Han.
    Value,
}

/// When a rule is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Everywhere.
    Always,
    /// Within 24 characters behind one of the context words of its group.
    Near,
    /// Directly behind one of the context words of its group, or behind `:`, `=`, `是`, quotes and spaces that follow it.
    After,
}

/// How long a secret goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// `[0-9A-Za-z_-]`.
    Key,
    /// `[0-9A-Za-z_.~+/=-]`.
    Token,
    /// Up to white space, quotes, brackets or punctuation that is not ASCII's.
    Solid,
    /// Up to the end line of a PEM block.
    Pem,
}

/// Which function has the last word on a match; see `verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    None,
    MobileCn,
    IotCn,
    LandlineCn,
    PhoneIntl,
    PhoneNanp,
    IdCn,
    IdCn15,
    Card,
    CardShape,
    Email,
    EmailAt,
    Ip4,
    Ip6,
    Mac,
    Imei,
    Imsi,
    Uscc,
    Passport,
    Permit,
    Hkid,
    Moid,
    Twid,
    Plate,
    Iban,
    Ssn,
    Nino,
    Nhs,
    EuId,
    NationalId,
    Key,
    Jwt,
    Zhipu,
    Password,
    Token,
    Login,
    Name,
    NameTitle,
    NameEn,
    Dotted,
    Address,
    Date,
    Account,
    Wechat,
}

/// Groups of context words, as bits.
pub(crate) mod group {
    pub(crate) const PHONE: u64 = 1;
    pub(crate) const TEL: u64 = 1 << 1;
    pub(crate) const ID: u64 = 1 << 2;
    pub(crate) const CARD: u64 = 1 << 3;
    pub(crate) const EMAIL: u64 = 1 << 4;
    pub(crate) const IP: u64 = 1 << 5;
    pub(crate) const PASSPORT: u64 = 1 << 6;
    pub(crate) const EEP: u64 = 1 << 7;
    pub(crate) const HRP: u64 = 1 << 8;
    pub(crate) const MTP: u64 = 1 << 9;
    pub(crate) const HKID: u64 = 1 << 10;
    pub(crate) const MOID: u64 = 1 << 11;
    pub(crate) const TWID: u64 = 1 << 12;
    pub(crate) const PLATE: u64 = 1 << 13;
    pub(crate) const WECHAT: u64 = 1 << 14;
    pub(crate) const QQ: u64 = 1 << 15;
    pub(crate) const SOCIAL: u64 = 1 << 16;
    pub(crate) const IMEI: u64 = 1 << 17;
    pub(crate) const IMSI: u64 = 1 << 18;
    pub(crate) const BIRTH: u64 = 1 << 19;
    pub(crate) const NAME: u64 = 1 << 20;
    pub(crate) const NAME_EN: u64 = 1 << 21;
    pub(crate) const ADDRESS: u64 = 1 << 22;
    pub(crate) const SECRET: u64 = 1 << 23;
    pub(crate) const BEARER: u64 = 1 << 24;
    pub(crate) const USCC: u64 = 1 << 25;
    pub(crate) const URL: u64 = 1 << 26;
    pub(crate) const VERSION: u64 = 1 << 27;
    pub(crate) const SSN: u64 = 1 << 28;
    pub(crate) const UK: u64 = 1 << 29;
    pub(crate) const EU: u64 = 1 << 30;
    pub(crate) const MAC: u64 = 1 << 31;
    pub(crate) const BASIC: u64 = 1 << 32;
    /// What says that a number is something else.
    pub(crate) const NOT: u64 = 1 << 40;
    /// The first of a policy's own.
    pub(crate) const OWN: u32 = 41;
}

/// Automata: numbers, words, codes of letters and digits, secrets, streets in English, what begins with Han, with the name of a place,
/// telephones, dates and what is dotted like them, packs that are off as a rule, e-mail addresses that need a word before them,
/// our own placeholders, logins in addresses. What follows a word directly shares an automaton with nothing that follows another: it would
/// hold back for both.
/// Rules whose progress does not depend on one another's would multiply each other's states.
pub(crate) const NUMBER: usize = 0;
pub(crate) const WORD: usize = 1;
pub(crate) const CODE: usize = 2;
pub(crate) const KEY: usize = 3;
pub(crate) const STREET: usize = 4;
pub(crate) const HAN: usize = 5;
pub(crate) const PLACE: usize = 6;
pub(crate) const TEL: usize = 7;
pub(crate) const DATE: usize = 8;
pub(crate) const PACK: usize = 9;
pub(crate) const MAIL: usize = 10;
pub(crate) const OWN: usize = 11;
pub(crate) const URL: usize = 12;
/// Their names.
pub(crate) const SETS: [&str; 13] =
    ["number", "word", "code", "key", "street", "han", "place", "tel", "date", "pack", "mail", "own", "url"];

/// One rule. What only the build script reads is dead in the library.
#[allow(dead_code)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    /// The entity's key; empty for what is known to be nothing private, and keeps other rules from it.
    pub(crate) entity: &'static str,
    pub(crate) start: Start,
    pub(crate) pattern: &'static str,
    pub(crate) left: Side,
    pub(crate) right: Side,
    pub(crate) check: Check,
    /// The score without context; a word of the context adds 25, a word that speaks against it takes 35.
    pub(crate) base: u8,
    pub(crate) context: u64,
    /// It is certain as soon as it matches, and goes on like that.
    pub(crate) tail: Option<Tail>,
    /// Which of the automata it is in: those that begin alike are together, so that they share states.
    pub(crate) set: usize,
}

const RULE: Rule = Rule {
    name: "",
    entity: "",
    start: Start::Always,
    pattern: "",
    left: Side::Word,
    right: Side::Word,
    check: Check::None,
    base: 70,
    context: 0,
    tail: None,
    set: NUMBER,
};

const fn rule(
    name: &'static str,
    entity: &'static str,
    pattern: &'static str,
    check: Check,
    base: u8,
    context: u64,
) -> Rule {
    Rule { name, entity, pattern, check, base, context, ..RULE }
}

const fn near(
    name: &'static str,
    entity: &'static str,
    pattern: &'static str,
    check: Check,
    base: u8,
    context: u64,
) -> Rule {
    Rule { name, entity, pattern, check, base, context, start: Start::Near, ..RULE }
}

const fn after(name: &'static str, entity: &'static str, pattern: &'static str, check: Check, context: u64) -> Rule {
    Rule { name, entity, pattern, check, base: 55, context, start: Start::After, left: Side::Any, ..RULE }
}

/// A secret that shows by how it begins.
const fn key(name: &'static str, pattern: &'static str) -> Rule {
    Rule {
        name,
        entity: "SECRET",
        pattern,
        check: Check::Key,
        base: 99,
        right: Side::Any,
        tail: Some(Tail::Key),
        set: KEY,
        ..RULE
    }
}

/// The built-in rules.
pub(crate) const RULES: &[Rule] = &[
    // Telephones.
    rule(
        "mobile_cn",
        "PHONE_CN",
        "(\\+? ?(0{S}){0,2}8{S}6{S}|\\(\\+?86\\) ?)?[1一幺壹]({S}\\d){10}",
        Check::MobileCn,
        70,
        group::PHONE | group::TEL,
    ),
    rule("iot_cn", "PHONE_CN", "1[04]\\d{11}", Check::IotCn, 35, group::PHONE),
    Rule {
        set: TEL,
        ..rule(
            "landline_cn",
            "TEL_CN",
            "(\\+?86[ \\-]?)?(0\\d{2,3}|\\(0\\d{2,3}\\)|[1-9]\\d{1,2})[ \\-]{0,2}\\d{3,4}[ \\-]?\\d{4}( ?(转|转接|ext\\.?|x|-|#) ?\\d{1,6})?",
            Check::LandlineCn,
            55,
            group::TEL | group::PHONE,
        )
    },
    Rule {
        set: TEL,
        ..rule(
            "phone_international",
            "PHONE_INTL",
            "(\\+|00)[1-9]([ .\\-]?\\(?\\d\\)?){6,14}",
            Check::PhoneIntl,
            60,
            group::TEL | group::PHONE,
        )
    },
    Rule {
        set: TEL,
        ..rule(
            "phone_nanp",
            "PHONE_INTL",
            "(1[ .\\-])?(\\(\\d{3}\\) ?|\\d{3}[ .\\-])\\d{3}[ .\\-]\\d{4}",
            Check::PhoneNanp,
            55,
            group::TEL | group::PHONE,
        )
    },
    Rule { set: TEL, ..near("phone_nanp_plain", "PHONE_INTL", "[2-9]\\d{9}", Check::PhoneNanp, 30, group::TEL) },
    // Documents of mainland China.
    rule("id_cn", "ID_CN", "[1-9一二三四五六七八九]({S}\\d){16}{S}[\\dXx]", Check::IdCn, 90, group::ID),
    near("id_cn_15", "ID_CN15", "[1-9]\\d{5} ?\\d{6} ?\\d{3}", Check::IdCn15, 35, group::ID),
    Rule { set: CODE, ..rule("uscc", "USCC", "[0-9A-HJ-NP-Y]{18}", Check::Uscc, 75, group::USCC) },
    Rule {
        set: CODE,
        ..near(
            "passport_cn",
            "PASSPORT_CN",
            "[EGDSPegdsp] ?\\d{8}|[Ee][A-HJ-NP-Za-hj-np-z] ?\\d{7}",
            Check::Passport,
            30,
            group::PASSPORT,
        )
    },
    Rule {
        set: CODE,
        ..near("permit_hk_mo", "EEP", "[CWcw] ?(\\d{8}|[A-HJ-NP-Za-hj-np-z]\\d{7})", Check::Permit, 30, group::EEP)
    },
    Rule { set: CODE, ..near("permit_home_return", "HRP", "[HMhm] ?\\d{8}(\\d{2})?", Check::Permit, 30, group::HRP) },
    near("permit_taiwan", "MTP", "\\d{8}(\\d{2})?", Check::Permit, 30, group::MTP),
    Rule {
        right: Side::Any,
        left: Side::Any,
        ..rule(
            "plate_cn",
            "PLATE",
            "{P}[A-HJ-NP-Za-hj-np-z][·. \\-]?[A-HJ-NP-Za-hj-np-z0-9]{4,5}[A-HJ-NP-Za-hj-np-z0-9挂学警港澳]",
            Check::Plate,
            60,
            group::PLATE,
        )
    },
    Rule {
        set: CODE,
        ..after(
            "social_cn",
            "SOCIAL",
            "[0-9A-Za-z\\-第字号军南海空北沈兰济成广参政后装]{5,24}",
            Check::Account,
            group::SOCIAL,
        )
    },
    // Hong Kong, Macau, Taiwan.
    Rule {
        set: CODE,
        ..rule("hkid", "HKID", "[A-Za-z]{1,2} ?\\d{6} ?(\\([0-9Aa]\\)|[0-9Aa])", Check::Hkid, 40, group::HKID)
    },
    Rule { set: TEL, ..near("moid", "MOID", "[1578]/?\\d{6}/?\\(?\\d\\)?", Check::Moid, 30, group::MOID) },
    Rule { set: CODE, ..rule("twid", "TWID", "[A-Za-z][1289A-Da-d]\\d{8}", Check::Twid, 55, group::TWID) },
    // Money.
    rule("card", "BANKCARD", "[1-9一二三四五六七八九]({S}\\d){12,18}", Check::Card, 65, group::CARD),
    near("card_shape", "BANKCARD", "6{S}2({S}\\d){14,17}", Check::CardShape, 30, group::CARD),
    Rule { set: CODE, ..rule("iban", "IBAN", "\\a{2}[0-9]{2}( ?[0-9A-Za-z]){11,30}", Check::Iban, 80, 0) },
    // Addresses of machines and people.
    Rule {
        set: WORD,
        left: Side::Mail,
        ..rule(
            "email",
            "EMAIL",
            "[0-9A-Za-z_][0-9A-Za-z_.%+\\-']*@([0-9A-Za-z\\-]+\\.)+\\a{2,24}",
            Check::Email,
            80,
            group::EMAIL,
        )
    },
    Rule {
        left: Side::Gap,
        set: MAIL,
        right: Side::Word,
        ..rule(
            "email_international",
            "EMAIL",
            "[\\h\\p]{1,3}@([0-9A-Za-z\\-\\h\\p]+\\.)+(公司|网络|中国|中國|网址|網址|香港|台湾|台灣|集团|我爱你|在线|商城|网店|信息|移动|企业|政务|公益|\\a{2,24}|[\\p]{2,24})",
            Check::Email,
            75,
            group::EMAIL,
        )
    },
    Rule {
        set: MAIL,
        ..near(
            "email_international_context",
            "EMAIL",
            "[0-9A-Za-z_\\h\\p][0-9A-Za-z_.%+\\-\\h\\p]*@([0-9A-Za-z\\-\\h\\p]+\\.)+(公司|网络|中国|中國|网址|網址|香港|台湾|台灣|集团|我爱你|在线|商城|网店|信息|移动|企业|政务|公益|\\a{2,24}|[\\p]{2,24})",
            Check::Email,
            50,
            group::EMAIL,
        )
    },
    Rule {
        set: MAIL,
        ..near(
            "email_spelled",
            "EMAIL",
            "[0-9A-Za-z_][0-9A-Za-z_.%+\\-]* ?([\\[({#*] ?[aA][tT] ?[\\])}#*]| [aA][tT] ) ?[0-9A-Za-z\\-.]+( ?([\\[({#*] ?[dD][oO][tT] ?[\\])}#*]| [dD][oO][tT] ) ?[0-9A-Za-z\\-.]+)*",
            Check::EmailAt,
            45,
            group::EMAIL,
        )
    },
    Rule {
        set: DATE,
        ..rule("ipv4", "IP", "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}", Check::Ip4, 65, group::IP)
    },
    Rule {
        set: CODE,
        ..rule(
            "ipv6",
            "IP",
            "({H}{1,4})?(:{H}{0,4}){2,7}(:[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3})?",
            Check::Ip6,
            65,
            group::IP,
        )
    },
    Rule {
        set: CODE,
        ..rule(
            "mac",
            "MAC",
            "({H}{2}:){5}{H}{2}|({H}{2}-){5}{H}{2}|{H}{4}\\.{H}{4}\\.{H}{4}",
            Check::Mac,
            75,
            group::MAC,
        )
    },
    near("imei", "IMEI", "\\d{2}[ \\-/]?\\d{6}[ \\-/]?\\d{6}[ \\-/]?\\d", Check::Imei, 35, group::IMEI),
    near("imsi", "IMSI", "\\d{14,15}", Check::Imsi, 30, group::IMSI),
    Rule { set: NUMBER, ..after("wechat", "WECHAT", "\\a[0-9A-Za-z_\\-]{5,19}", Check::Wechat, group::WECHAT) },
    after("qq", "QQ", "[1-9]\\d{4,10}", Check::Account, group::QQ),
    Rule {
        set: DATE,
        ..near(
            "birth_date",
            "DOB",
            "(19|20)\\d{2} ?[年\\-/.] ?\\d{1,2} ?[月\\-/.] ?\\d{1,2} ?日?|(19|20)\\d{6}|\\d{1,2}[\\-/.]\\d{1,2}[\\-/.](19|20)?\\d{2}|[A-Z]\\a{2,8}\\.? \\d{1,2}(st|nd|rd|th)?,? (19|20)\\d{2}|\\d{1,2}(st|nd|rd|th)? [A-Z]\\a{2,8}\\.?,? (19|20)\\d{2}|\\d{2}年\\d{1,2}月\\d{1,2}日|[一二三四五六七八九〇零]{4}年[一二三四五六七八九十]{1,3}月[一二三四五六七八九十]{1,3}日",
            Check::Date,
            40,
            group::BIRTH,
        )
    },
    // Packs.
    Rule { set: PACK, ..rule("us_ssn", "US_SSN", "\\d{3}[ \\-]\\d{2}[ \\-]\\d{4}", Check::Ssn, 60, group::SSN) },
    Rule { set: PACK, ..near("us_ssn_plain", "US_SSN", "\\d{9}", Check::Ssn, 30, group::SSN) },
    Rule {
        set: PACK,
        ..rule("uk_nino", "UK_NINO", "\\a{2} ?\\d{2} ?\\d{2} ?\\d{2} ?[A-Da-d]", Check::Nino, 70, group::UK)
    },
    Rule { set: PACK, ..rule("uk_nhs", "UK_NHS", "\\d{3}[ \\-]?\\d{3}[ \\-]?\\d{4}", Check::Nhs, 40, group::UK) },
    Rule { set: PACK, ..near("eu_id", "EU_ID", "[0-9A-Za-z]([ .\\-/]?[0-9A-Za-z]){7,}", Check::EuId, 35, group::EU) },
    Rule {
        set: PACK,
        ..near("national_id", "NATIONAL_ID", "[0-9A-Za-z]([ .\\-/]?[0-9A-Za-z]){7,}", Check::NationalId, 35, group::EU)
    },
    // Secrets.
    key("anthropic", "sk-ant-[0-9A-Za-z_\\-]{16}"),
    key("openai", "sk-(proj|svcacct|admin|None)-[0-9A-Za-z_\\-]{16}"),
    key("openrouter", "sk-or-v1-[0-9A-Za-z]{16}"),
    key("sk", "sk-[0-9A-Za-z]{20}"),
    key("aws", "(AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}"),
    key("github", "gh[pousr]_[0-9A-Za-z]{20}|github_pat_[0-9A-Za-z_]{20}"),
    key("gitlab", "gl(pat|dt|rt|cbt|ptt|ft|imt|agent|oas)-[0-9A-Za-z_\\-]{16}"),
    key("slack", "xox[abeoprs]-[0-9A-Za-z\\-]{10}|xapp-[0-9]-[0-9A-Za-z\\-]{10}"),
    Rule { check: Check::None, ..key("slack_bot", "xox[abeoprs]-[0-9]{8}") },
    key("google", "AIza[0-9A-Za-z_\\-]{20}|GOCSPX-[0-9A-Za-z_\\-]{20}|ya29\\.[0-9A-Za-z_\\-]{20}"),
    key("huggingface", "(hf|api_org)_[0-9A-Za-z]{20}"),
    key("alibaba", "LTAI[0-9A-Za-z]{12}"),
    key("tencent", "AKID[0-9A-Za-z]{16}"),
    key("volcengine", "AKLT[0-9A-Za-z_\\-]{16}"),
    key("npm", "npm_[0-9A-Za-z]{20}"),
    key("pypi", "pypi-[0-9A-Za-z_\\-]{16}"),
    Rule { tail: Some(Tail::Token), ..key("sendgrid", "SG\\.[0-9A-Za-z_\\-]{16}") },
    key("stripe", "(sk|rk|pk|whsec)_(live|test)?_?[0-9A-Za-z]{16}"),
    key("groq", "gsk_[0-9A-Za-z]{20}"),
    key("xai", "xai-[0-9A-Za-z]{20}"),
    key("perplexity", "pplx-[0-9A-Za-z]{20}"),
    key("nvidia", "nvapi-[0-9A-Za-z_\\-]{20}"),
    key("replicate", "r8_[0-9A-Za-z]{20}"),
    key("digitalocean", "do[opr]_v1_[0-9a-f]{20}"),
    key("shopify", "shp(at|ca|pa|ss)_[0-9A-Fa-f]{16}"),
    key("tavily", "tvly-[0-9A-Za-z\\-]{16}"),
    key("telegram", "[0-9]{8,10}:AA[0-9A-Za-z_\\-]{20}"),
    key("vault", "hv[sbr]\\.[0-9A-Za-z_\\-]{20}"),
    key("docker", "dckr_pat_[0-9A-Za-z_\\-]{16}"),
    key("sluicegate", "sgk_(live|test)_[0-9A-Za-z]{16}"),
    Rule { tail: Some(Tail::Token), check: Check::Jwt, ..key("jwt", "eyJ[0-9A-Za-z_\\-]{17}") },
    Rule {
        tail: Some(Tail::Pem),
        check: Check::None,
        left: Side::Any,
        ..key("pem", "-----BEGIN ([0-9A-Z]+ )*PRIVATE KEY")
    },
    Rule { check: Check::Zhipu, ..key("zhipu", "[0-9a-f]{32}\\.[0-9A-Za-z]{7}") },
    Rule {
        set: URL,
        left: Side::Any,
        right: Side::At,
        tail: None,
        check: Check::Login,
        base: 90,
        context: group::URL,
        start: Start::After,
        ..key("url_login", "[^\\s/@:\"'<>\\h]+:[^\\s/@\"'<>\\h]+")
    },
    Rule {
        check: Check::Token,
        left: Side::Any,
        context: group::BEARER,
        start: Start::After,
        tail: Some(Tail::Token),
        ..key("bearer", "[0-9A-Za-z_.~+/\\-]{16}")
    },
    Rule {
        check: Check::Token,
        left: Side::Any,
        context: group::BASIC,
        start: Start::After,
        tail: Some(Tail::Token),
        ..key("basic", "[0-9A-Za-z+/]{12}")
    },
    Rule {
        set: WORD,
        left: Side::Any,
        context: group::SECRET,
        start: Start::After,
        tail: None,
        right: Side::Value,
        check: Check::Password,
        base: 70,
        ..key("password", "[^\\s\"'`<>,;(){}\\[\\]\\h，。；！？、）】」》…]{4,}")
    },
    Rule {
        set: WORD,
        left: Side::Any,
        context: group::SECRET,
        start: Start::After,
        tail: Some(Tail::Solid),
        right: Side::Any,
        check: Check::Password,
        base: 99,
        ..key("password_long", "[^\\s\"'`<>,;(){}\\[\\]\\h，。；！？、）】」》…]{40}")
    },
    // People and places.
    Rule {
        set: HAN,
        left: Side::Any,
        right: Side::Any,
        ..rule(
            "name_title",
            "PERSON",
            "({X}|欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|司徒|夏侯)\\h{1,2}(先生|女士|小姐|老师|医生|教授|经理|律师|师傅|同学|阿姨|叔叔|大夫|主任|护士)",
            Check::NameTitle,
            60,
            0,
        )
    },
    Rule {
        set: HAN,
        left: Side::Any,
        right: Side::NoHan,
        ..after(
            "name_after",
            "PERSON",
            "({X}\\h{1,2}|(欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|司徒|夏侯)\\h{1,2})",
            Check::Name,
            group::NAME,
        )
    },
    Rule {
        set: HAN,
        left: Side::Any,
        right: Side::Any,
        base: 50,
        ..after(
            "name_after_in_text",
            "PERSON",
            "{X}\\h{1,2}[是的在住，。,和与及也今来有想要已曾现毕从电手身联邮微]",
            Check::NameTitle,
            group::NAME,
        )
    },
    Rule {
        set: HAN,
        left: Side::Any,
        right: Side::Any,
        ..rule("name_dotted", "PERSON", "{T}{2,6}(·{T}{2,7}){1,3}", Check::Dotted, 75, group::NAME)
    },
    Rule {
        set: HAN,
        left: Side::Any,
        right: Side::NoHan,
        ..after("name_dotted_after", "PERSON", "\\h{2,7}(·\\h{2,7}){1,3}", Check::Dotted, group::NAME)
    },
    Rule {
        set: STREET,
        ..after(
            "name_en",
            "PERSON",
            "(([A-Z]\\a+|[A-Z]\\.)[ \\-]){0,3}(van |von |de |da |bin |al-|O')?[A-Z]\\a+",
            Check::NameEn,
            group::NAME_EN,
        )
    },
    Rule {
        set: PLACE,
        left: Side::Any,
        right: Side::Any,
        ..rule(
            "address_cn",
            "ADDRESS",
            "{C}(省|市|自治区|特别行政区|回族自治区|壮族自治区|维吾尔自治区)?{A}",
            Check::Address,
            60,
            group::ADDRESS,
        )
    },
    Rule {
        set: PLACE,
        left: Side::Any,
        right: Side::Any,
        ..after("address_after", "ADDRESS", "{A}|{B}", Check::Address, group::ADDRESS)
    },
    Rule {
        set: STREET,
        ..rule(
            "address_en",
            "ADDRESS",
            "[0-9]{1,5}[A-Za-z]? ([NSEW]\\.? )?([A-Z]\\a+ |[0-9]{1,3}(st|nd|rd|th) ){1,3}(Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Square|Sq|Terrace|Parkway|Pkwy)\\.?(,? (Apt|Apartment|Suite|Ste|Unit|Floor|#)\\.? ?[0-9A-Za-z\\-]+)?(, [A-Z]\\a+( [A-Z]\\a+)*)?(,? [A-Z]{2} [0-9]{5}(-[0-9]{4})?)?",
            Check::Address,
            65,
            group::ADDRESS,
        )
    },
    // What only looks like it. Our own placeholders first: what is hidden stays as it is.
    Rule {
        base: 100,
        set: OWN,
        left: Side::Any,
        right: Side::Any,
        ..rule("token", "", "⟦[\\hA-Z_ ]{1,24}[0-9]{1,5}·[a-z0-9]{4}⟧", Check::None, 100, 0)
    },
    Rule {
        base: 100,
        set: OWN,
        left: Side::Any,
        right: Side::Any,
        ..rule("label", "", "\\*\\*\\*[\\hA-Z_ ]{1,24}(#[a-z0-9]{8})?\\*\\*\\*", Check::None, 100, 0)
    },
    Rule { set: CODE, base: 94, ..rule("uuid", "", "{H}{8}-{H}{4}-{H}{4}-{H}{4}-{H}{12}", Check::None, 94, 0) },
    Rule { set: DATE, base: 94, ..rule("dotted_version", "", "[0-9]{1,3}(\\.[0-9]{1,3}){4}", Check::None, 94, 0) },
    Rule {
        set: DATE,
        base: 85,
        ..rule("isbn", "", "97[89][ \\-][0-9]{1,5}[ \\-][0-9]{1,7}[ \\-][0-9]{1,7}[ \\-][0-9Xx]", Check::None, 85, 0)
    },
    Rule {
        set: DATE,
        base: 85,
        ..rule(
            "timestamp",
            "",
            "(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?(\\.[0-9]{1,9})?",
            Check::None,
            85,
            0,
        )
    },
];

/// What stands for what in patterns; each may use those before it.
#[allow(dead_code)]
pub(crate) const MACROS: &[(&str, &str)] = &[
    ("{S}", "([ \\-.·]| - )?"),
    ("{H}", "[0-9A-Fa-f]"),
    ("{P}", "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领]"),
    (
        "{X}",
        "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付傅方邹熊白孟秦邱侯江尹薛闫阎段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康施牛温葛洪欧邢易乔庞樊兰殷翟安颜倪章鲁牟祁齐俞柳岳詹左焦骆祝关蒲翁阮包柴尤舒凌柯聂梅阎滕盛单游费裴路季管霍翁]",
    ),
    (
        "{T}",
        "[阿艾巴买麦提力尔克古丽努尼热木江吾斯肉孜依伊布拉扎姆娜迪吐逊玉山卡地尔沙赛外合帕萨米娅罕汗居苏莱曼图库铁热甫亚森达娃扎西卓玛格桑次仁旺堆央金多杰丹增洛白顿珠才让加措尕措毛吉乌兰巴特尔其其格额尔敦苏日娜那仁朝鲁哈斯呼和牧日根德力]",
    ),
    // Up to a unit with its number; what no address holds ends it.
    (
        "{A}",
        "(\\k|[0-9])( ?(\\k|[0-9A-Z#·()\\-]))* ?[0-9A-Za-z一二三四五六七八九十百甲乙丙丁] ?(号|弄|栋|幢|座|楼|单元|室|层|房|户|组|门|号楼|号院|#)([0-9]{1,5})?",
    ),
    ("{B}", "\\k+(路|街|大道|巷|胡同|村|小区|花园|苑|大厦|广场|家园|公寓)"),
    (
        "{C}",
        "(北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门|深圳|广州|杭州|南京|苏州|成都|武汉|西安|郑州|长沙|青岛|宁波|东莞|佛山|无锡|厦门|福州|济南|合肥|昆明|沈阳|大连|哈尔滨|长春|石家庄|太原|南昌|南宁|贵阳|兰州|海口|珠海|温州|常州|徐州|烟台|泉州|嘉兴|绍兴|金华|台州|中山|惠州|南通|潍坊|乌鲁木齐|呼和浩特|银川|西宁|拉萨|洛阳|保定|唐山|扬州|盐城|镇江|泰州|淮安|临沂|济宁|淄博|威海|芜湖|赣州|宜昌|襄阳|岳阳|衡阳|株洲|桂林|柳州|湛江|汕头|江门|茂名|绵阳|遵义|曲靖|宝鸡|咸阳|包头|鞍山|大庆|邯郸|沧州|廊坊|漳州|莆田|湖州|衢州|舟山|丽水)",
    ),
];

/// Context words by group. ASCII ones in lower case; they are found in any case, as a word or as a part of a name in code.
pub(crate) const WORDS: &[(u64, &str)] = &[
    (
        group::PHONE,
        "手机 手机号 手机号码 电话 电话号码 联系方式 联系 联系电话 拨打 致电 来电 微信同号 号码是 打我 短信 tel phone mobile cell cellphone call whatsapp",
    ),
    (
        group::TEL,
        "电话 座机 固话 固定电话 传真 热线 办公电话 电話 tel fax phone call telephone dial contact reach whatsapp mobile cell",
    ),
    (group::ID, "身份证 身份证号 身份证号码 证件 证件号 证件号码 公民身份 身分證 居民证 sfz idcard id_card identity"),
    (
        group::CARD,
        "卡号 银行卡 银行 开户 账号 帐号 账户 储蓄卡 信用卡 借记卡 付款卡 银联 visa mastercard unionpay card bank account pan amex",
    ),
    (group::EMAIL, "邮箱 邮件 电子邮件 电邮 发到 发至 发给 发邮件 抄送 密送 转发 email e-mail mail mailto contact"),
    (group::IP, "ip 服务器 主机 地址 来源 server host client addr address"),
    (group::VERSION, "版本 version ver release 固件 build"),
    (group::PASSPORT, "护照 护照号 护照号码 passport"),
    (group::EEP, "通行证 港澳通行证 往来港澳 eep permit"),
    (group::HRP, "回乡证 回鄉證 来往内地通行证 港澳居民"),
    (group::MTP, "台胞证 台胞證 台湾居民 来往大陆通行证"),
    (group::HKID, "香港身份证 香港身份證 香港居民 hkid 身份证 身份證 identity"),
    (group::MOID, "澳门身份证 澳門身份證 澳门居民 澳门 澳門 bir moid"),
    (group::TWID, "台湾身份证 身分證 身份证 居留证 統一證號 twid"),
    (group::PLATE, "车牌 车牌号 车号 牌照 车辆 plate"),
    (group::WECHAT, "微信 微信号 vx wx v信 威信 薇信 加我微 wechat weixin 微信id"),
    (group::QQ, "qq qq号 扣扣 企鹅号 qq号码"),
    (
        group::SOCIAL,
        "社保号 社保 社保卡 社保卡号 社保账号 社会保障号 社会保障卡号 公积金 公积金账号 公积金号 公积金账户 医保 医保号 医保卡 医保卡号 军官证 军官证号 士兵证 警官证 警官证号",
    ),
    (group::IMEI, "imei 串号 设备号 设备识别码 序列号 device"),
    (group::IMSI, "imsi sim 卡识别码"),
    (group::BIRTH, "出生 生日 出生日期 出生年月 生于 诞辰 生辰 born birth birthday birthdate dob date_of_birth"),
    (
        group::NAME,
        "姓名 名字 我叫 我是 联系人 收件人 收货人 户名 开户人 申请人 患者 客户 名叫 法人 法定代表人 负责人 持卡人 投保人 被保险人 署名 签名 员工 学生 家长 经办人 寄件人 发件人 嘉宾 候选人 我的名字叫 名字叫",
    ),
    (
        group::NAME_EN,
        "name is|my name is|name|full name|fullname|customer|patient|contact|mr.|mrs.|ms.|dr.|mr|mrs|ms|dr|dear|i am|i'm|attn|signed|sincerely,|regards,|recipient|姓名|联系人|收件人|我叫|名字",
    ),
    (
        group::ADDRESS,
        "地址 住址 住在 家住 我住 居住地 寄到 寄往 寄至 收货地址 送到 送至 邮寄 籍贯 户籍 户籍地址 家庭住址 现住 居住 位于 发货地址 收件地址 注册地址 办公地址 address addr street live at",
    ),
    (
        group::SECRET,
        "密码 口令 密碼 密钥 秘钥 password passwd passphrase pwd secret token apikey api_key api-key access_key accesskey secret_key secretkey access_token auth_token client_secret private_key passcode credential",
    ),
    (
        group::BEARER,
        "bearer authorization x-api-key apikey api_key api-key secret_key secretkey access_key access_token auth_token client_secret secret_access_key token 密钥 秘钥",
    ),
    (group::BASIC, "basic"),
    (group::USCC, "信用代码 统一社会信用代码 税号 纳税人识别号 营业执照 统一代码"),
    (group::SSN, "ssn|social security|itin|tin|taxpayer"),
    (group::UK, "nino|national insurance|nhs"),
    (
        group::EU,
        "aadhaar cpf rrn 주민등록번호 マイナンバー nric fin steuer tax dni nie nif nir insee codice fiscale bsn rijksregister pesel personnummer cpr niss steuer-id id identity personal",
    ),
    (group::MAC, "mac 物理地址 硬件地址"),
    (
        group::NOT,
        "订单 订单号 单号 流水 流水号 快递 快递单号 运单 运单号 物流 版本 版本号 时间戳 isbn 条码 条形码 编号 货号 型号 批次 批号 合同号 发票 发票号 工单 交易号 序号 页码 order orderid order_id tracking waybill invoice timestamp sku barcode ean upc serial sn hash commit sha sha256 md5 checksum build trace traceid trace_id span uuid snowflake epoch ticket case_id",
    ),
];
