//! The last word on a match: from what an automaton walked over to what a validator takes, and what its surroundings say.

use super::check::{
    card, date, device, email, eu, hk_mo_tw, iban, id_cn, ip, more, permit, phone, plate, secret, us_uk, uscc,
};
use super::machine::plain;
use super::rules::Check;
use super::scan::Ring;
use super::symbol::{chinese_digit, is_han};

/// What a rule matched: characters `from` to (without) `to`.
pub(crate) struct Candidate<'a> {
    pub(crate) ring: &'a Ring,
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Whether a word of the rule's context stands before it.
    pub(crate) context: bool,
}

/// It is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    /// Added to the score.
    pub(crate) bonus: i8,
    /// What of it counts.
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Candidate<'_> {
    fn chars(&self) -> impl Iterator<Item = char> {
        (self.from..self.to).filter_map(|index| self.ring.char(index))
    }

    fn text(&self) -> String {
        self.chars().collect()
    }

    /// Letters and digits, Chinese digits as ASCII's.
    fn bare(&self) -> String {
        let bare = self.chars().map(|c| chinese_digit(c).unwrap_or(c));
        bare.filter(|c| c.is_ascii_alphanumeric() || *c == '+').collect()
    }

    fn before(&self, back: u64) -> Option<char> {
        self.from.checked_sub(back).and_then(|index| self.ring.char(index))
    }

    /// Whether the value is one that stays, by the policy.
    pub(crate) fn is_allowed(&self, verdict: &Verdict, allow: &[String]) -> bool {
        let text: String = (verdict.from..verdict.to).filter_map(|index| self.ring.char(index)).collect();
        let value = plain(&text);
        allow.iter().any(|allowed| match allowed.strip_prefix('*') {
            Some(end) => value.ends_with(end),
            None => *allowed == value,
        })
    }

    /// Groups of digits as they were written: their lengths.
    fn groups(&self) -> Vec<u8> {
        let mut groups = vec![0u8];
        for c in self.chars() {
            match groups.last_mut() {
                Some(last) if c.is_ascii_alphanumeric() || chinese_digit(c).is_some() => *last = last.saturating_add(1),
                Some(0) | None => {}
                Some(_) => groups.push(0),
            }
        }
        groups.retain(|group| *group > 0);
        groups
    }

    /// Whether this is a part of a longer number: a decimal, money, or digits of the same script go on.
    fn is_part_of_number(&self) -> bool {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let chinese = |c: Option<char>| c.is_some_and(|c| chinese_digit(c).is_some());
        let first = self.ring.char(self.from);
        let last = self.to.checked_sub(1).and_then(|index| self.ring.char(index));
        let behind = self.ring.char(self.to);
        matches!(self.before(1), Some('.' | ',')) && digit(self.before(2))
            || chinese(first) && chinese(self.before(1))
            || chinese(last) && chinese(behind)
    }
}

/// How a number's digits are grouped says what kind it is.
enum Grouping {
    /// As one writes it.
    Usual,
    /// Digit by digit: by hand, or to get past a filter.
    Single,
    /// Some other way: it may be several numbers in a row.
    Odd,
}

fn grouping(groups: &[u8], usual: &[&[u8]]) -> Grouping {
    if groups.len() == 1 || usual.contains(&groups) {
        Grouping::Usual
    } else if groups.iter().all(|group| *group == 1) {
        Grouping::Single
    } else {
        Grouping::Odd
    }
}

/// What grouping does to a score.
fn weight(groups: &[u8], usual: &[&[u8]], odd: i8) -> i8 {
    match grouping(groups, usual) {
        Grouping::Usual => 0,
        Grouping::Single => -5,
        Grouping::Odd => odd,
    }
}

/// Whether a match is what its rule says, and how much surer or less sure than usual.
pub(crate) fn verify(check: Check, candidate: &Candidate<'_>) -> Option<Verdict> {
    let whole = Verdict { bonus: 0, from: candidate.from, to: candidate.to };
    let with = |bonus: i8| Some(Verdict { bonus, ..whole });
    let when = |right: bool| right.then_some(whole);
    let number = |right: bool, bonus: i8| if right && !candidate.is_part_of_number() { with(bonus) } else { None };
    match check {
        Check::None => Some(whole),
        Check::MobileCn => {
            let digits = candidate.bare();
            let mut groups = candidate.groups();
            // The country's code is a group of its own, or not.
            if groups.len() > 1
                && matches!(groups.first(), Some(2..=4))
                && digits.trim_start_matches(['+', '0']).starts_with("86")
            {
                groups.remove(0);
            }
            number(
                phone::mobile_cn(&digits),
                weight(&groups, &[&[3, 4, 4], &[3, 8], &[4, 3, 4], &[3, 3, 5], &[7, 4]], -25),
            )
        }
        Check::IotCn => number(phone::iot_cn(&candidate.bare()), 0),
        Check::LandlineCn => {
            let text = candidate.text();
            // An extension is not the number's.
            let main = text.split(['转', 'e', 'x', '#', '分']).next().unwrap_or_default();
            let digits = |text: &str| {
                text.chars()
                    .map(|c| chinese_digit(c).unwrap_or(c))
                    .filter(|c| c.is_ascii_digit() || *c == '+')
                    .collect::<String>()
            };
            let all = digits(main);
            let short = main.rsplit_once('-').map(|(front, _)| digits(front)).unwrap_or_default();
            let plain = candidate.groups().len() == 1;
            number(phone::landline_cn(&all) || phone::landline_cn(&short), if plain { -10 } else { 10 })
        }
        Check::PhoneIntl => {
            let text = candidate.bare();
            let is_zeros = !text.starts_with('+');
            let is_written = candidate.groups().len() > 1;
            number(phone::phone_intl(&text), if is_zeros && !is_written { -15 } else { 10 })
        }
        Check::PhoneNanp => {
            // Calls to these are free: an organisation's, and meant to be known.
            const FREE: [&str; 9] = ["400", "800", "888", "877", "866", "855", "844", "833", "822"];
            let digits = candidate.bare();
            let area = digits.get(digits.len().saturating_sub(10)..).unwrap_or_default();
            number(phone::nanp(&digits) && !FREE.iter().any(|free| area.starts_with(free)), 0)
        }
        Check::IdCn => {
            let odd = weight(
                &candidate.groups(),
                &[&[6, 8, 4], &[6, 4, 4, 4], &[6, 12], &[14, 4], &[3, 3, 4, 4, 4], &[4, 4, 4, 4, 2]],
                -20,
            );
            number(id_cn::id_cn(&candidate.bare()), odd)
        }
        Check::IdCn15 => number(id_cn::id_cn15(&candidate.bare()), 0),
        Check::Card => {
            let digits = candidate.bare();
            let usual: &[&[u8]] = &[
                &[4, 4, 4, 4],
                &[4, 4, 4, 4, 3],
                &[4, 4, 4, 4, 1],
                &[4, 4, 4, 4, 2],
                &[4, 6, 5],
                &[6, 13],
                &[4, 4, 4, 6],
                &[4, 4, 4, 7],
                &[6, 4, 9],
                &[4, 6, 4],
            ];
            let odd = weight(&candidate.groups(), usual, -30);
            // Ids of 19 digits are many, old cards of 13 are few.
            let length = if digits.len() == 13 { -20 } else { 0 };
            number(card::card(&digits), odd + length)
        }
        Check::CardShape => number(card::card_shape(&candidate.bare()), 0),
        Check::Email => {
            let text = candidate.text();
            let behind = candidate.ring.char(candidate.to);
            let is_path = text.starts_with("git@")
                && (matches!(behind, Some(':' | '/' | '.')) || candidate.before(1) == Some('/'));
            when(email::email(&text) && !is_path)
        }
        Check::EmailAt => {
            let text = candidate.text().to_ascii_lowercase();
            let squeezed: String =
                text.chars().filter(|c| !matches!(c, ' ' | '[' | ']' | '(' | ')' | '{' | '}' | '#' | '*')).collect();
            // Of all the ways to read `at` and `dot` as letters, one must give an address.
            let reads = |at: usize| {
                let (local, rest) = squeezed.split_at_checked(at)?;
                let domain = rest.strip_prefix("at").or_else(|| rest.strip_prefix('@'))?;
                let domain = if domain.contains('.') { domain.to_owned() } else { domain.replace("dot", ".") };
                email::email(&[local, "@", &domain].concat()).then_some(())
            };
            let marked = text.contains(['[', '(', '{', '#', '*']) || text.contains(" at ") && text.contains(" dot ");
            when(marked && (1..squeezed.len()).any(|at| reads(at).is_some()))
        }
        Check::Ip4 => {
            let text = candidate.text();
            let named = matches!(candidate.before(1), Some('/')) && candidate.before(2) != Some('/');
            let joined = matches!(candidate.before(1), Some('-' | '.'))
                || matches!(candidate.ring.char(candidate.to), Some('-'));
            let word: String =
                (1..=9).rev().filter_map(|back| candidate.before(back)).collect::<String>().to_ascii_lowercase();
            let version = ["version", "ver", "v", "版本", "release", "build", "固件"].iter().any(|name| {
                let trimmed = word.trim_end_matches([' ', ':', '=', '"', '号', '-', '是', '为', '.']);
                trimmed.ends_with(name)
            });
            when(ip::ipv4(&text) && !ip::ip_kept(&text) && !named && !joined && !version)
        }
        Check::Ip6 => {
            let text = candidate.text();
            let groups = text.split(':').filter(|group| !group.is_empty()).count();
            let has_digit = text.bytes().any(|b| b.is_ascii_digit());
            let joined = |c: Option<char>| c.is_some_and(|c| c == ':' || c.is_ascii_hexdigit());
            let colon = candidate.before(1) == Some(':') && joined(candidate.before(2))
                || candidate.ring.char(candidate.to) == Some(':');
            when(groups >= 3 && has_digit && !colon && ip::ipv6(&text) && !ip::ip_kept(&text))
        }
        Check::Mac => {
            let text = candidate.text();
            let goes_on = matches!(candidate.ring.char(candidate.to), Some(':' | '-'))
                || matches!(candidate.before(1), Some(':' | '-'))
                    && candidate.before(2).is_some_and(|c| c.is_ascii_hexdigit());
            when(!goes_on && device::mac(&text) && text.bytes().any(|b| b != b'0' && b != b':' && b != b'-'))
        }
        Check::Imei => number(device::imei(&candidate.bare()), 0),
        Check::Imsi => number(device::imsi(&candidate.bare()), 0),
        Check::Uscc => {
            let text = candidate.bare();
            // Eighteen digits that pass are an identity card's or a card's as a rule.
            number(uscc::uscc(&text), if text.bytes().all(|b| b.is_ascii_digit()) { -30 } else { 0 })
        }
        Check::Passport => when(permit::passport_cn(&candidate.bare())),
        Check::Permit => {
            let text = candidate.bare();
            when(permit::eep(&text) || permit::hrp(&text) || permit::mtp(&text))
        }
        Check::Hkid => {
            let text = candidate.text();
            let written = text.contains('(');
            let upper = text.bytes().all(|b| !b.is_ascii_lowercase());
            let right = hk_mo_tw::hkid(&candidate.bare().to_ascii_uppercase());
            number(
                right,
                if written && upper {
                    25
                } else if upper {
                    0
                } else {
                    -15
                },
            )
        }
        Check::Moid => number(hk_mo_tw::moid(&candidate.bare()), 0),
        Check::Twid => {
            let text = candidate.bare();
            number(
                hk_mo_tw::twid(&text) || candidate.context && hk_mo_tw::tw_arc(&text),
                if text.starts_with(|c: char| c.is_ascii_lowercase()) { -20 } else { 0 },
            )
        }
        Check::Plate => {
            let text: String = candidate
                .chars()
                .filter(|c| !matches!(c, ' ' | '-' | '·' | '.'))
                .map(|c| c.to_ascii_uppercase())
                .collect();
            let lower = candidate.chars().any(|c| c.is_ascii_lowercase());
            let goes_on = candidate.ring.char(candidate.to).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
            let word = candidate.before(1).is_some_and(|c| matches!(c, '最' | '更' | '全' | '创' | '革' | '重'));
            if plate::plate_cn(&text) && !goes_on && !word { with(if lower { -15 } else { 0 }) } else { None }
        }
        Check::Iban => when(iban::iban(&candidate.bare())),
        Check::Ssn => {
            let digits = candidate.bare();
            number(us_uk::us_ssn(&digits) || us_uk::us_itin(&digits), 0)
        }
        Check::Nino => when(us_uk::uk_nino(&candidate.bare())),
        Check::Nhs => number(us_uk::uk_nhs(&candidate.bare()), 0),
        Check::EuId => {
            let text = candidate.bare().to_ascii_uppercase();
            let checks = [
                eu::de_steuer_id,
                eu::fr_nir,
                eu::es_dni,
                eu::es_nie,
                eu::it_codice_fiscale,
                eu::nl_bsn,
                eu::be_nn,
                eu::pl_pesel,
                eu::se_personnummer,
                eu::pt_nif,
                eu::dk_cpr,
            ];
            when(checks.iter().any(|check| check(&text)))
        }
        Check::NationalId => {
            let text = candidate.bare().to_ascii_uppercase();
            let checks =
                [more::in_aadhaar, more::br_cpf, more::kr_rrn, more::kr_rrn_shape, more::jp_my_number, more::sg_nric];
            when(checks.iter().any(|check| check(&text)))
        }
        Check::Key => {
            let text = candidate.text();
            let body = text.rsplit(['-', '_', '.', ':']).next().unwrap_or(&text);
            let body = if body.len() < 8 { &text } else { body };
            when(secret::entropy(body) >= 230 && !secret::is_placeholder(&text))
        }
        Check::Jwt => {
            const BEGINNINGS: [&str; 9] =
                ["hbGci", "0eXAi", "raWQi", "lbmMi", "jdHki", "4NX", "qa3Ui", "qd2si", "6aXAi"];
            let text = candidate.text();
            let rest = text.get(3..).unwrap_or_default();
            when(secret::jwt_header(&text) || BEGINNINGS.iter().any(|beginning| rest.starts_with(beginning)))
        }
        Check::Zhipu => {
            let text = candidate.text();
            let head = text.get(..32).unwrap_or_default();
            when(secret::entropy(head) >= 300 && secret::entropy(text.get(33..).unwrap_or_default()) >= 200)
        }
        Check::Password => {
            let mut text = candidate.text();
            let mut to = candidate.to;
            // What ends a sentence is not the value's.
            while text.ends_with(['.', ':']) {
                text.pop();
                to -= 1;
            }
            // The word itself, as a part of a longer name or of code.
            let quoted = matches!(candidate.before(1), Some('"' | '\'' | '`'));
            let said = (1..=8)
                .filter_map(|back| candidate.before(back))
                .take_while(|c| !c.is_ascii_alphanumeric())
                .collect::<Vec<_>>();
            let assigned =
                said.iter().any(|c| matches!(c, ':' | '=' | '是' | '为')) || said.first().is_some_and(|c| is_han(*c));
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
            let marks = text.len() - digits - letters;
            let code = text.contains("()")
                || text.starts_with([':', '$', '-', '.', '/', '\\', '|', '=', '&', '?'])
                || text.contains("::")
                || text.contains("=>")
                || text.starts_with("http");
            let dotted = text.split('.').count() > 1
                && text.split('.').all(|part| part.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_'));
            let symbols = text
                .bytes()
                .filter(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'_' | b'-' | b'/' | b'.' | b'[' | b']'))
                .count();
            let mixed = letters > 0 && (digits > 0 || symbols > 0);
            let word: String =
                (1..=16).rev().filter_map(|back| candidate.before(back)).collect::<String>().to_ascii_lowercase();
            let is_password =
                ["pass", "pwd", "密码", "口令", "密碼", "passcode"].iter().any(|name| crate::text::has(&word, name));
            let plain = is_password
                && (digits >= 6 && letters == 0 && marks == 0
                    || quoted && letters >= 6 && secret::entropy(&text) >= 250 && marks == 0);
            let code = code || said.contains(&'=') && secret::is_code(&text);
            let is_value = text.len() >= 4
                && assigned
                && !code
                && !dotted
                && (mixed && text.len() >= 6 || plain)
                && !secret::is_placeholder(&text);
            is_value.then_some(Verdict { to, ..whole })
        }
        Check::Token => {
            let text = candidate.text();
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            let upper = text.bytes().filter(u8::is_ascii_uppercase).count();
            let lower = text.bytes().filter(u8::is_ascii_lowercase).count();
            let turns = text
                .as_bytes()
                .windows(2)
                .filter(|pair| matches!(pair, [a, b] if a.is_ascii_uppercase() != b.is_ascii_uppercase()))
                .count();
            let mixed = turns > 6 && upper > 4 && lower > 4
                || digits > 1 && upper + lower > 3
                || upper > 2 && lower > 2 && digits > 0
                || upper > 3 && lower > 3 && text.len() < 14;
            let parts = text.split(['_', '-', '.', '/']).filter(|part| part.len() > 1).count();
            when(mixed && parts < 4 && secret::entropy(&text) >= 290 && !secret::is_placeholder(&text))
        }
        Check::Login => {
            let text = candidate.text();
            let (user, password) = text.split_once(':')?;
            when(
                !user.is_empty()
                    && !password.is_empty()
                    && !secret::is_placeholder(password)
                    && !password.eq_ignore_ascii_case("password")
                    && !password.eq_ignore_ascii_case("pass"),
            )
        }
        Check::Name => {
            let name = candidate.text();
            when(!is_common(&name))
        }
        Check::NameTitle => name_with_tail(candidate),
        Check::NameEn => {
            let name = candidate.text();
            let is_word = |word: &str| WORDS_NOT_NAMES.contains(&word.to_ascii_lowercase().as_str());
            let shouted = name.bytes().filter(u8::is_ascii_alphabetic).all(|b| b.is_ascii_uppercase());
            // One word alone needs to be called a name: by a title, or by whoever says it.
            const CALLED: [&str; 16] = [
                "mr ", "mr. ", "mrs ", "mrs. ", "ms ", "ms. ", "dr ", "dr. ", "dear ", "is ", "am ", "'m ", "叫",
                "名:", "人:", "字:",
            ];
            let said: String =
                (1..=6).rev().filter_map(|back| candidate.before(back)).collect::<String>().to_ascii_lowercase();
            let called = name.contains(' ') || CALLED.iter().any(|word| said.ends_with(word));
            when(name.len() >= 3 && called && !shouted && !name.split([' ', '-']).any(is_word))
        }
        Check::Dotted => {
            let parts = candidate.text();
            when(parts.split('·').all(|part| part.chars().count() >= 2))
        }
        Check::Address => address(candidate),
        Check::Date => {
            let text: String = candidate.chars().collect();
            when(date::birth_date(&text))
        }
        Check::Account => {
            let digits = candidate.bare().bytes().filter(u8::is_ascii_digit).count();
            when(digits >= 5)
        }
        Check::Wechat => {
            let id = candidate.text();
            let is_word = id.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
                || id.bytes().all(|b| b.is_ascii_lowercase())
                    && [
                        "official", "account", "wechat", "weixin", "message", "payment", "connect", "server", "config",
                        "client", "string", "number",
                    ]
                    .contains(&id.as_str());
            when(!is_word)
        }
    }
}

/// A name and what shows that it is one, which is not hidden: the title, or the character behind.
fn name_with_tail(candidate: &Candidate<'_>) -> Option<Verdict> {
    const TITLES: [&str; 18] = [
        "先生", "女士", "小姐", "老师", "医生", "教授", "经理", "律师", "师傅", "同学", "阿姨", "叔叔", "大夫", "主任",
        "护士", "总监", "部长", "校长",
    ];
    let text = candidate.text();
    let tail = TITLES.iter().find(|title| text.ends_with(*title)).map_or(1, |title| title.chars().count());
    let keep = text.chars().count().checked_sub(tail).filter(|keep| *keep >= 2)?;
    let name: String = text.chars().take(keep).collect();
    // `李老师` alone is a way to speak of someone; with a given name it is who that is.
    if is_common(&name) {
        None
    } else {
        Some(Verdict { bonus: 0, from: candidate.from, to: candidate.from + keep as u64 })
    }
}

/// Words that begin like a name.
fn is_common(name: &str) -> bool {
    const COMMON: &str = " 高兴 高级 高中 高度 任何 任务 方便 方法 方面 方式 方向 黄金 黄色 马上 马路 温馨 温度 温暖 常见 常用 常常 常规 安全 安排 安装 白色 白天 江南 江湖 时间 时候 时代 金融 金额 金属 石油 石头 田间 唐朝 宋朝 周围 周末 周期 周一 周二 周三 周四 周五 周六 周日 程序 程度 于是 成功 成为 成立 成本 成员 施工 毛病 毛巾 毛利 雷达 龙头 史上 陶瓷 贺卡 万元 万一 万分 万事 钱包 严重 严格 孔子 向来 向上 向下 向前 康复 牛奶 牛肉 易于 乔木 安静 左右 左边 焦点 关于 关系 关键 关注 何时 何处 何人 何况 和平 夏天 夏季 付款 付费 毕业 张开 张贴 王国 王子 陈述 陈列 陈旧 杨树 朱红 曾经 许多 许可 许久 谢谢 丁香 韩国 韩语 冯谖 董事 袁大 邓小平 叶子 叶片 杜绝 苏州 苏联 魏晋 蒋介石 蔡元培 余额 余下 潘多拉 于此 林业 林木 郑重 梁山 罗列 宋体 孙子 胡同 胡说 郭沫若 徐徐 黄河 黄昏 赵州桥 吴国 李子 刘海 项目 段落 段位 顾客 顾问 顾虑 汤圆 洪水 欧洲 欧盟 齐全 鲁迅 武器 武术 戴上 邵氏 覃思 侯爵 孟子 秦朝 熊猫 邹忌 傅立叶 方案 夏令 贾岛 韦伯 石化 廖廖 金色 汪洋 范围 范例 陆续 陆地 谭嗣同 崔健 姜汤 钟头 钟点 沈阳 姚明 卢沟 任意 任职 吕布 丁点 明天 古代 古典 古老 ";
    // In sentences, not in names.
    if name
        .chars()
        .skip(1)
        .any(|c| "的了是在有这我你他她它们吗呢吧也就还但或把让着么什怎谁因所则不都很来去说个为对从到给".contains(c))
    {
        return true;
    }
    let known = |name: &str| !name.is_empty() && crate::text::has(COMMON, &[" ", name, " "].concat());
    let first_two: String = name.chars().take(2).collect();
    known(name) || known(&first_two)
}

/// English words that follow `I am` or `name:` and are no names.
const WORDS_NOT_NAMES: &[&str] = &[
    "the",
    "this",
    "that",
    "sorry",
    "not",
    "sure",
    "here",
    "there",
    "your",
    "our",
    "string",
    "number",
    "null",
    "true",
    "false",
    "none",
    "customer",
    "support",
    "team",
    "sir",
    "madam",
    "all",
    "user",
    "name",
    "file",
    "error",
    "click",
    "please",
    "button",
    "field",
    "is",
    "are",
    "was",
    "will",
    "can",
    "and",
    "for",
    "with",
    "from",
    "you",
    "we",
    "my",
    "it",
    "in",
    "on",
    "at",
    "to",
    "of",
    "a",
    "an",
    "manager",
    "member",
    "required",
    "optional",
    "type",
    "value",
    "test",
    "default",
    "new",
    "service",
    "center",
    "information",
    "us",
    "id",
    "email",
    "phone",
    "address",
    "date",
    "colleague",
    "colleagues",
    "friend",
    "friends",
    "everyone",
    "readers",
    "hiring",
    "chinese",
    "english",
    "american",
    "british",
    "french",
    "german",
    "japanese",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
];

/// An address says a road or a number, and more than that.
fn address(candidate: &Candidate<'_>) -> Option<Verdict> {
    let whole = Verdict { bonus: 0, from: candidate.from, to: candidate.to };
    let text = candidate.text();
    let length = candidate.to - candidate.from;
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.is_ascii() {
        return Some(whole);
    }
    let places = text
        .chars()
        .filter(|c| {
            matches!(
                c,
                '省' | '市'
                    | '区'
                    | '县'
                    | '镇'
                    | '乡'
                    | '村'
                    | '路'
                    | '街'
                    | '道'
                    | '巷'
                    | '弄'
                    | '里'
                    | '园'
                    | '苑'
                    | '厦'
                    | '场'
                    | '城'
                    | '楼'
                    | '栋'
                    | '幢'
                    | '座'
                    | '号'
                    | '室'
                    | '寓'
                    | '院'
            )
        })
        .count();
    let has_road = text.chars().any(|c| {
        matches!(
            c,
            '路' | '街'
                | '道'
                | '巷'
                | '弄'
                | '村'
                | '园'
                | '苑'
                | '厦'
                | '场'
                | '寓'
                | '镇'
                | '乡'
                | '栋'
                | '幢'
                | '座'
                | '室'
        )
    });
    if !has_road || places < 2 && !candidate.context || length < 4 {
        return None;
    }
    // The more it says, the surer it is: the longest reading wins.
    Some(Verdict { bonus: if candidate.context { 5 } else { 0 }, ..whole })
}
