//! The text of a sealed file, line by line, and what refuses it whole.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read},
    path::PathBuf,
};

use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};

use super::{
    seal::{Key, Opening},
    tables::tables,
};

/// The bytes of a file, where they lie.
pub(crate) enum Parcel {
    Disk(PathBuf),
    Memory(Vec<u8>),
}

impl Parcel {
    fn bytes(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Self::Disk(path) => Box::new(File::open(path)?),
            Self::Memory(bytes) => Box::new(&bytes[..]),
        })
    }

    /// SHA-256 of the bytes.
    pub(crate) fn digest(&self) -> io::Result<[u8; 32]> {
        let mut hash = Sha256::new();
        let mut bytes = self.bytes()?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match bytes.read(&mut buffer)? {
                0 => return Ok(hash.finalize().into()),
                read => hash.update(&buffer[..read]),
            }
        }
    }

    /// Its lines.
    pub(crate) fn lines(&self, key: &Key) -> io::Result<Lines<'_>> {
        let opening = Opening::new(self.bytes()?, key);
        let text = GzDecoder::new(BufReader::new(opening));
        Ok(Lines(BufReader::new(text)))
    }
}

/// Why a file is refused whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// With a feedback file of flag 2.
    Told(&'static str),
    /// Without a feedback file: ABN003, ABN004, ABF008, ABF010.
    Silent,
}

/// What a file packs, while it is decrypted.
type Packed<'a> = BufReader<Opening<Box<dyn Read + 'a>>>;

/// The lines of an open file.
pub(crate) struct Lines<'a>(BufReader<GzDecoder<Packed<'a>>>);

impl Lines<'_> {
    /// Reads the next line, without its CR LF, into `line`.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, Refusal> {
        line.clear();
        loop {
            let room = (MOST_BYTES - line.len()) as u64;
            let read = (&mut self.0).take(room).read_until(b'\n', line);
            let Ok(read) = read else {
                let broken = self.0.get_ref().get_ref().get_ref().broken;
                return Err(Refusal::Told(if broken { "ABF000" } else { "ABF001" }));
            };
            if line.ends_with(b"\r\n") {
                line.truncate(line.len() - 2);
                return if too_long(line) {
                    Err(Refusal::Silent)
                } else {
                    Ok(true)
                };
            }
            if read == 0 {
                // A last line without its end, or one without any.
                return if line.is_empty() {
                    self.end().map(|()| false)
                } else {
                    Err(Refusal::Silent)
                };
            }
        }
    }

    /// Nothing follows the one member.
    fn end(&mut self) -> Result<(), Refusal> {
        match self.0.get_mut().get_mut().fill_buf() {
            Ok([]) => Ok(()),
            Ok(_) => Err(Refusal::Told("ABF001")),
            Err(_) => Err(Refusal::Told("ABF000")),
        }
    }
}

/// Ten million characters or more: ABF008.
fn too_long(line: &[u8]) -> bool {
    line.len() >= MOST_CHARACTERS
        && String::from_utf8_lossy(line).chars().count() >= MOST_CHARACTERS
}

const MOST_CHARACTERS: usize = 10_000_000;
/// Four bytes a character, and the end of the line.
const MOST_BYTES: usize = 4 * MOST_CHARACTERS + 2;

/// A file whose name, header and form are in order.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) record_type: &'static str,
    /// The day of its header, as records write it.
    pub(crate) day: String,
    /// The template characters of its header.
    pub(crate) template: String,
}

/// Looks at a whole file before anything of it is taken in.
pub(crate) fn form(name: &str, parcel: &Parcel, key: &Key) -> Result<Form, Refusal> {
    let record_type = record_type(name).ok_or(Refusal::Silent)?;
    let mut lines = parcel.lines(key).map_err(|_| Refusal::Told("ABF000"))?;
    let mut line = Vec::new();
    lines.next(&mut line)?;
    let header = std::str::from_utf8(&line)
        .ok()
        .filter(|header| is_header(header, record_type))
        .ok_or(Refusal::Told("ABH005"))?;
    if header[14..28] != name[..14]
        || header[28..36] != name[14..22]
        || header[4..7] != name[22..25]
    {
        return Err(Refusal::Told("ABF007"));
    }
    if &header[7..12] != "2.0.0" {
        return Err(Refusal::Told("ABH006"));
    }
    let day = format!(
        "{}-{}-{}",
        &header[28..32],
        &header[32..34],
        &header[34..36]
    );
    let template = header[12..14].to_owned();
    while lines.next(&mut line)? {
        std::str::from_utf8(&line).map_err(|_| Refusal::Told("ABF011"))?;
    }
    Ok(Form {
        record_type,
        day,
        template,
    })
}

/// The record type of a submission name that is in order.
fn record_type(name: &str) -> Option<&'static str> {
    let bytes = name.as_bytes();
    let good = bytes.len() == 30
        && is_organization(&bytes[..14])
        && digits(&bytes[14..])
        && is_day(&name[14..22])
        && bytes[25] == b'0'
        && &name[26..29] != "000"
        && bytes[29] == b'0';
    good.then(|| {
        tables()
            .keys()
            .find(|code| ***code == name[22..25])
            .copied()
    })?
}

fn is_header(header: &str, record_type: &str) -> bool {
    let bytes = header.as_bytes();
    if bytes.len() != 50 || !header.is_ascii() {
        return false;
    }
    let template = match record_type {
        "110" | "310" => &["10", "90"][..],
        _ => &["  "],
    };
    let version = &bytes[7..12];
    header.starts_with("A050")
        && digits(&bytes[4..7])
        && digits(&[version[0], version[2], version[4]])
        && version[1] == b'.'
        && version[3] == b'.'
        && template.contains(&&header[12..14])
        && is_organization(&bytes[14..28])
        && digits(&bytes[28..42])
        && is_day(&header[28..36])
        && &header[36..38] < "24"
        && &header[38..40] < "60"
        && &header[40..42] < "60"
        && bytes[42] == b'0'
        && digits(&bytes[43..50])
}

fn digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

fn is_organization(bytes: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    bytes.iter().all(allowed)
}

/// A real day, `yyyyMMdd`; the caller has seen that these are digits.
fn is_day(day: &str) -> bool {
    format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..8])
        .parse::<jiff::civil::Date>()
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::{super::seal, *};

    const KEY: &Key = b"0123456789abcdef";
    const NAME: &str = "T99999999H00012024060121000010";
    const HEADER: &str = "A0502102.0.0  T99999999H00012024060112000000000001\r\n";

    fn refusal(name: &str, text: &[u8]) -> Option<Refusal> {
        let sealed = seal::close(KEY, |to| to.write_all(text)).unwrap();
        form(name, &Parcel::Memory(sealed), KEY).err()
    }

    #[test]
    fn a_file_is_refused_whole_by_its_name_its_header_or_its_form() {
        let told = |code| Some(Refusal::Told(code));
        let good = format!("{HEADER}<a>\r\n");
        assert_eq!(refusal(NAME, good.as_bytes()), None);
        assert_eq!(refusal(NAME, HEADER.as_bytes()), None);
        for name in [
            "T99999999H0001202406012100001",
            "T99999999H00012024063121000010",
            "T99999999H00012024060199900010",
            "T99999999H00012024060121000001",
            "t99999999H00012024060121000010",
            "测试测试测试测试测试",
        ] {
            assert_eq!(
                refusal(name, good.as_bytes()),
                Some(Refusal::Silent),
                "{name}"
            );
        }
        for (from, to, expected) in [
            ("A050", "A051", told("ABH005")),
            ("A050", "\u{feff}A050", told("ABH005")),
            ("  T", "10T", told("ABH005")),
            ("2.0.0", "3.0.0", told("ABH006")),
            ("H0001", "H0002", told("ABF007")),
            ("20240601", "20240602", told("ABF007")),
            ("20240601120000", "20240601250000", told("ABH005")),
            ("A050210", "A050212", told("ABF007")),
            ("<a>\r\n", "<a>", Some(Refusal::Silent)),
            ("<a>\r\n", "<a>\n", Some(Refusal::Silent)),
        ] {
            assert!(good.contains(from));
            assert_eq!(
                refusal(NAME, good.replacen(from, to, 1).as_bytes()),
                expected
            );
        }
        let mut bytes = good.clone().into_bytes();
        let at = bytes.len() - 4;
        bytes[at] = 0xff;
        assert_eq!(refusal(NAME, &bytes), told("ABF011"));
        let garbage = Parcel::Memory(b"0123456789abcde".to_vec());
        assert_eq!(form(NAME, &garbage, KEY).err(), told("ABF000"));
    }
}
