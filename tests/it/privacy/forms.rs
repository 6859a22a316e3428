//! The forms in which a text can hide in bytes.

use std::io::{Read as _, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};

/// A text that must not be found, in its searchable forms.
pub(crate) struct Secret {
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Secret {
    pub(crate) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        let percent: String = bytes.iter().map(|b| format!("%{b:02X}")).collect();
        let unicode: String = text.encode_utf16().map(|u| format!("\\u{u:04x}")).collect();
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut forms = vec![
            ("itself", bytes.to_vec()),
            ("hex", hex.clone().into_bytes()),
            ("upper-case hex", hex.to_uppercase().into_bytes()),
            ("percent", percent.clone().into_bytes()),
            ("lower-case percent", percent.to_lowercase().into_bytes()),
            ("\\u", unicode.clone().into_bytes()),
            (
                "\\U",
                unicode.to_uppercase().replace("\\U", "\\u").into_bytes(),
            ),
            ("UTF-16", utf16),
        ];
        // A list of numbers, as `Debug` prints bytes.
        let list: Vec<_> = bytes.iter().map(u8::to_string).collect();
        forms.push(("a list of bytes", list.join(", ").into_bytes()));
        // Escapes of a byte string, as `Debug` of `Bytes` prints them.
        if !text.is_ascii() {
            let escaped: String = bytes.iter().map(|b| format!("\\x{b:02x}")).collect();
            forms.push(("byte escapes", escaped.into_bytes()));
        }
        // In Base64 a text stands at one of three places; its first and last
        // characters there depend on the neighbors.
        for (name, lead) in [("Base64", 0), ("Base64 + 1", 1), ("Base64 + 2", 2)] {
            let mut led = vec![0; lead];
            led.extend_from_slice(bytes);
            let text = STANDARD.encode(&led);
            let skip = if lead == 0 { 0 } else { lead + 1 };
            let keep = led.len() / 3 * 4;
            forms.push((name, text.as_bytes()[skip..keep.max(skip)].to_vec()));
        }
        forms.retain(|(_, form)| form.len() >= 6);
        Self { forms }
    }
}

/// The form in which the secret stands in the bytes, or in what is packed
/// inside them.
pub(crate) fn find(bytes: &[u8], secret: &Secret) -> Option<String> {
    for (name, form) in &secret.forms {
        if memchr(bytes, form) {
            return Some((*name).to_owned());
        }
    }
    for start in bytes
        .windows(3)
        .enumerate()
        .filter(|(_, w)| *w == [0x1f, 0x8b, 8])
        .map(|(n, _)| n)
    {
        let mut inside = Vec::new();
        let decoder = MultiGzDecoder::new(&bytes[start..]);
        // What unpacked before an error counts.
        let _ = decoder.take(16 << 20).read_to_end(&mut inside);
        if let Some(name) = find_plain(&inside, secret) {
            return Some(format!("gzip of {name}"));
        }
    }
    None
}

fn find_plain(bytes: &[u8], secret: &Secret) -> Option<&'static str> {
    secret
        .forms
        .iter()
        .find(|(_, form)| memchr(bytes, form))
        .map(|(name, _)| *name)
}

/// Whether `needle` stands in `bytes`: skips by its rarest position, the first.
fn memchr(bytes: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else {
        return false;
    };
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|b| b == first) {
        let from = at + found + 1;
        if bytes[from..].starts_with(rest) {
            return true;
        }
        at = from;
    }
    false
}

/// The search itself, tried: a search that finds nothing proves nothing.
pub(crate) fn tests() {
    let secret = Secret::new("测试甲");
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all("<Name>测试甲</Name>".as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let base64 = |lead: &str| STANDARD.encode(format!("{lead}测试甲 and more"));
    for (name, hidden) in [
        ("plain", "log 测试甲".as_bytes().to_vec()),
        ("hex", b"e6b58be8af95e794b2".to_vec()),
        ("percent", b"?q=%E6%B5%8B%E8%AF%95%E7%94%B2".to_vec()),
        ("unicode", b"\"\\u6d4b\\u8bd5\\u7532\"".to_vec()),
        ("base64 0", base64("").into_bytes()),
        ("base64 1", base64("x").into_bytes()),
        ("base64 2", base64("xy").into_bytes()),
        ("gzip", [b"junk".as_slice(), &packed].concat()),
        (
            "debug of bytes",
            format!("{:?}", "测试甲".as_bytes()).into_bytes(),
        ),
    ] {
        assert!(find(&hidden, &secret).is_some(), "{name}");
    }
    assert_eq!(find("测试 甲".as_bytes(), &secret), None);
}
