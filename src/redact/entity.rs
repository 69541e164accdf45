//! What kinds of private data there are: their keys, labels, packs, and what happens to them unless a policy says otherwise.

use super::policy::{Action, Language};

macro_rules! entities {
    ($($(#[$doc:meta])* $name:ident = $key:literal, $zh:literal, $en:literal, $pack:ident, $action:ident;)*) => {
        /// A kind of private data.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Entity {
            $($(#[$doc])* $name,)*
            /// A rule of the policy's own, by its place in [`Policy::rules`](super::Policy::rules).
            Custom(u16),
        }

        impl Entity {
            /// Every kind that there is without a policy's own rules.
            pub const ALL: &'static [Entity] = &[$(Entity::$name,)*];

            /// The stable key (`PHONE_CN`); `CUSTOM` for a policy's own, whose name the policy knows.
            pub fn key(self) -> &'static str { match self { $(Entity::$name => $key,)* Entity::Custom(_) => "CUSTOM" } }

            /// What a label or a token calls it.
            pub fn label(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Entity::$name, Language::Zh) => $zh, (Entity::$name, Language::En) => $en,)*
                    (Entity::Custom(_), Language::Zh) => "自定义",
                    (Entity::Custom(_), Language::En) => "CUSTOM",
                }
            }

            /// The pack that it comes with.
            pub fn pack(self) -> Pack { match self { $(Entity::$name => Pack::$pack,)* Entity::Custom(_) => Pack::All } }

            /// What happens to it where the policy does not say: a `token` is a label where nothing is to be given back.
            pub fn default_action(self) -> Action { match self { $(Entity::$name => Action::$action,)* Entity::Custom(_) => Action::Token } }
        }
    };
}

/// A group of kinds that is switched on or off together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Pack {
    /// Everywhere in use.
    All,
    /// Mainland China, Hong Kong, Macau, Taiwan.
    Cn,
    /// The United States. Off unless asked for.
    Us,
    /// The United Kingdom. Off unless asked for.
    Uk,
    /// The European Union. Off unless asked for.
    Eu,
    /// India, Brazil, South Korea, Japan, Singapore. Off unless asked for.
    World,
}

entities! {
    /// A mobile number of mainland China.
    PhoneCn = "PHONE_CN", "手机号", "PHONE", Cn, Token;
    /// A landline of mainland China.
    TelCn = "TEL_CN", "固话", "LANDLINE", Cn, Token;
    /// A telephone number of any other country.
    PhoneIntl = "PHONE_INTL", "电话", "PHONE_INTL", All, Token;
    /// An identity card of mainland China, 18 characters, and the residence permits that have its form.
    IdCn = "ID_CN", "身份证", "ID_CARD", Cn, Token;
    /// An identity card of the first generation, 15 digits.
    IdCn15 = "ID_CN15", "旧身份证", "OLD_ID_CARD", Cn, Token;
    /// A payment card.
    BankCard = "BANKCARD", "银行卡", "BANK_CARD", All, Token;
    /// An e-mail address.
    Email = "EMAIL", "邮箱", "EMAIL", All, Token;
    /// An IP address.
    Ip = "IP", "IP", "IP", All, Token;
    /// A hardware address.
    Mac = "MAC", "MAC", "MAC", All, Token;
    /// The number of a mobile device.
    Imei = "IMEI", "设备号", "IMEI", All, Token;
    /// The number of a SIM card.
    Imsi = "IMSI", "SIM卡号", "IMSI", All, Token;
    /// The unified social credit code of an organisation.
    Uscc = "USCC", "信用代码", "USCC", Cn, Token;
    /// A passport of China.
    PassportCn = "PASSPORT_CN", "护照", "PASSPORT", Cn, Token;
    /// A permit for travel to Hong Kong and Macau.
    Eep = "EEP", "港澳通行证", "EEP", Cn, Token;
    /// A home return permit.
    Hrp = "HRP", "回乡证", "HRP", Cn, Token;
    /// A permit for residents of Taiwan.
    Mtp = "MTP", "台胞证", "MTP", Cn, Token;
    /// An identity card of Hong Kong.
    Hkid = "HKID", "香港身份证", "HKID", Cn, Token;
    /// An identity card of Macau.
    Moid = "MOID", "澳门身份证", "MOID", Cn, Token;
    /// An identity card or residence certificate of Taiwan.
    Twid = "TWID", "台湾身份证", "TWID", Cn, Token;
    /// A number plate of China.
    Plate = "PLATE", "车牌", "PLATE", Cn, Token;
    /// A WeChat id.
    Wechat = "WECHAT", "微信", "WECHAT", Cn, Token;
    /// A QQ number.
    Qq = "QQ", "QQ", "QQ", Cn, Token;
    /// A number of social insurance, housing fund, medical insurance, or an officer's card.
    Social = "SOCIAL", "社保号", "SOCIAL_NO", Cn, Token;
    /// An international bank account number.
    Iban = "IBAN", "银行账号", "IBAN", All, Token;
    /// A social security or taxpayer number of the United States.
    UsSsn = "US_SSN", "美国社保号", "US_SSN", Us, Token;
    /// A national insurance number of the United Kingdom.
    UkNino = "UK_NINO", "英国保险号", "UK_NINO", Uk, Token;
    /// A health service number of the United Kingdom.
    UkNhs = "UK_NHS", "英国医疗号", "UK_NHS", Uk, Token;
    /// A national identity or tax number of a country of the European Union.
    EuId = "EU_ID", "欧盟证件", "EU_ID", Eu, Token;
    /// A national identity number of India, Brazil, South Korea, Japan or Singapore.
    NationalId = "NATIONAL_ID", "国外证件", "NATIONAL_ID", World, Token;
    /// A key, token or password. Never reversible: it has no business with a model.
    Secret = "SECRET", "密钥", "SECRET", All, Label;
    /// A person's name.
    Person = "PERSON", "姓名", "PERSON", All, Token;
    /// A postal address.
    Address = "ADDRESS", "地址", "ADDRESS", All, Token;
    /// A date of birth.
    Dob = "DOB", "出生日期", "BIRTH_DATE", All, Token;
    /// An organisation's name. Off unless asked for.
    Org = "ORG", "机构", "ORG", All, Keep;
}

impl Entity {
    /// The kind of this key.
    pub fn from_key(key: &str) -> Option<Entity> {
        Entity::ALL.iter().find(|entity| entity.key() == key).copied()
    }
}
