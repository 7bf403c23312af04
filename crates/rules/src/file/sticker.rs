//! Stickers: of 512 x 512 pixels, and smaller where they stand still.

use crate::reason::{Cause, Reason};

/// What WhatsApp asks of a WebP file.
pub(super) struct Sticker {
    pub(super) animated: bool,
    /// None where the file is of a form that is not known here.
    pixels: Option<(u32, u32)>,
}

impl Sticker {
    /// From the first chunk (developers.google.com/speed/webp/docs/riff_container).
    pub(super) fn of(first: &[u8]) -> Self {
        let word = |at: usize, length: usize| -> Option<u32> {
            let bytes = first.get(at..at + length)?;
            Some(bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)))
        };
        let (animated, pixels) = match first.get(12..16) {
            Some(b"VP8X") => {
                let animated = word(20, 1).is_some_and(|flags| flags & 0x02 != 0);
                (animated, word(24, 3).zip(word(27, 3)).map(|(width, height)| (width + 1, height + 1)))
            }
            Some(b"VP8 ") => {
                let size = |at| word(at, 2).map(|size| size & 0x3fff);
                (false, size(26).zip(size(28)))
            }
            Some(b"VP8L") => (false, word(21, 4).map(|bits| ((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))),
            _ => (false, None),
        };
        Self { animated, pixels }
    }

    pub(super) fn check(&self) -> Result<(), Cause> {
        match self.pixels {
            Some((width, height)) if (width, height) != (512, 512) => Err(Cause::with_detail(
                Reason::FileTypeNotAllowed,
                format!(
                    "The file is image/webp with {width} x {height} pixels. WhatsApp takes WebP as stickers of 512 x 512 \
                     pixels, and images as JPEG and PNG."
                ),
            )),
            _ => Ok(()),
        }
    }
}
