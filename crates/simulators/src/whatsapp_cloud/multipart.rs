//! `multipart/form-data`, read simply: all of it in memory.

use bytes::Bytes;

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) filename: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) bytes: Bytes,
}

fn find(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let first = *needle.first()?;
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == first)?;
        if bytes.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}

/// A parameter of a header: `name` of `form-data; name="file"`.
fn parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// The parts of a body; None: it is not of the form.
pub(crate) fn read(content_type: &str, body: &Bytes) -> Option<Vec<Part>> {
    if !content_type.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
        return None;
    }
    let boundary = format!("--{}", parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty())?);
    let between = format!("\r\n{boundary}");
    let mut at = find(body, boundary.as_bytes(), 0)? + boundary.len();
    let mut parts = Vec::new();
    while body.get(at..)?.starts_with(b"\r\n") {
        let head_end = find(body, b"\r\n\r\n", at)?;
        let head = std::str::from_utf8(body.get(at..head_end)?).ok()?;
        let end = find(body, between.as_bytes(), head_end + 2)?;
        let header = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(of, _)| of.trim().eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim())
        };
        let disposition = header("content-disposition")?;
        parts.push(Part {
            name: parameter(disposition, "name")?,
            filename: parameter(disposition, "filename"),
            content_type: header("content-type").map(str::to_owned),
            bytes: body.slice((head_end + 4).min(end)..end),
        });
        at = end + between.len();
    }
    body.get(at..)?.starts_with(b"--").then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_clients_write() {
        let body = Bytes::from_static(
            b"--XX\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n--XX\r\ncontent-disposition: \
              form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\x89P\r\n-\r\n--X\r\n--XX--\r\n",
        );
        let parts = read("multipart/form-data; boundary=XX", &body).unwrap();
        assert_eq!((parts.len(), &parts[0].bytes[..]), (2, b"whatsapp".as_slice()));
        assert_eq!(
            (parts[1].filename.as_deref(), &parts[1].bytes[..]),
            (Some("a.png"), b"\x89P\r\n-\r\n--X".as_slice())
        );
        assert_eq!(parts[1].content_type.as_deref(), Some("image/png"));
        for end in 0..body.len() - 4 {
            assert_eq!(read("multipart/form-data; boundary=XX", &body.slice(..end)), None, "cut at {end}");
        }
        assert_eq!(read("application/json", &body), None);
        assert_eq!(read("multipart/form-data", &body), None);
    }
}
