//! A place for a header, as people write it in one line.

use super::message::HeaderValue;

/// `latitude, longitude[, name[, address]]`; the address may have commas. None: there are no two degrees.
pub(super) fn read(text: &str) -> Option<HeaderValue> {
    let mut parts = text.trim().trim_start_matches("geo:").splitn(4, ',').map(str::trim);
    let mut degrees = |most: f64| parts.next()?.parse::<f64>().ok().filter(|degrees| degrees.abs() <= most);
    let (latitude, longitude) = (degrees(90.0)?, degrees(180.0)?);
    let name = parts.next().unwrap_or_default().to_owned();
    let address = parts.next().unwrap_or_default().to_owned();
    Some(HeaderValue::Location { latitude, longitude, name, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        let place = |latitude, longitude, name: &str, address: &str| {
            Some(HeaderValue::Location { latitude, longitude, name: name.to_owned(), address: address.to_owned() })
        };
        let line = "52.5163, 13.3777, Showroom, Pariser Platz 1, Berlin";
        assert_eq!(read(line), place(52.5163, 13.3777, "Showroom", "Pariser Platz 1, Berlin"));
        assert_eq!(read("geo:-33.9,18.4"), place(-33.9, 18.4, "", ""));
        for text in ["", "52.5", "91, 0", "0, 181", "NaN, 0", "inf, 0", "north, south"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
