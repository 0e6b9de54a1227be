//! A picture in black dots, as a receipt printer prints it: a logo, or a QR code.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use qrcodegen::{QrCode, QrCodeEcc};
use serde::{Deserialize, Serialize};

/// The widest picture in dots, 8 to the millimetre: what the narrowest common printers print across.
const PICTURE_WIDE_MAX: u32 = 384;
/// The highest: 30 mm of paper.
const PICTURE_HIGH_MAX: u32 = 240;
/// The largest file that is read as a picture, in bytes.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most dots on a side of one: beyond it nobody meant a logo.
const SIDE_MAX: u32 = 4_096;

/// A picture of at most 384 by 240 dots. As text it is a PNG file in Base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Picture {
    wide: u32,
    high: u32,
    /// Row by row, each begun on a whole byte, the leftmost dot in the highest bit; a set bit is black.
    dots: Vec<u8>,
}

/// Why something is no picture, in words that say what would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    #[error("it is not written in Base64")]
    Base64,
    #[error("it is no PNG file that can be read ({0}): save the picture as PNG")]
    Png(String),
    #[error("it is larger than {SIDE_MAX} by {SIDE_MAX} dots, or than 4 MB: save it smaller")]
    TooLarge,
}

impl Picture {
    /// Reads a PNG file of any size and colours. What is larger than paper becomes smaller, shades become
    /// dots, what shows through becomes white.
    pub fn from_png(file: &[u8]) -> Result<Picture, PictureError> {
        let shades = Shades::of_png(file)?;
        let factor = (shades.wide.div_ceil(PICTURE_WIDE_MAX))
            .max(shades.high.div_ceil(PICTURE_HIGH_MAX))
            .max(1);
        Ok(shades.smaller(factor).dithered())
    }

    /// A PNG file in Base64.
    pub fn from_base64(text: &str) -> Result<Picture, PictureError> {
        let file = STANDARD.decode(text).map_err(|_| PictureError::Base64)?;
        Picture::from_png(&file)
    }

    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.to_png())
    }

    /// A PNG file of black and white dots.
    fn to_png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.wide, self.high);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        // There a set bit is white.
        let white: Vec<u8> = self.dots.iter().map(|byte| !byte).collect();
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&white)?;
            writer.finish()
        });
        written.expect("memory takes a picture whose bytes fit its size");
        file
    }

    /// Dots across.
    pub(crate) fn wide(&self) -> u32 {
        self.wide
    }

    /// Dots down.
    pub(crate) fn high(&self) -> u32 {
        self.high
    }

    /// Whole bytes of a row.
    pub(crate) fn row_bytes(&self) -> usize {
        self.wide.div_ceil(8) as usize
    }

    /// The rows from top to bottom; in a byte the leftmost dot is the highest bit, and black is set.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.dots.chunks_exact(self.row_bytes())
    }

    fn white(wide: u32, high: u32) -> Picture {
        let bytes = wide.div_ceil(8) as usize * high as usize;
        Picture {
            wide,
            high,
            dots: vec![0; bytes],
        }
    }

    fn blacken(&mut self, x: u32, y: u32) {
        let place = y as usize * self.row_bytes() + (x / 8) as usize;
        self.dots[place] |= 0x80 >> (x % 8);
    }
}

impl TryFrom<String> for Picture {
    type Error = PictureError;

    fn try_from(text: String) -> Result<Picture, PictureError> {
        Picture::from_base64(&text)
    }
}

impl From<Picture> for String {
    fn from(picture: Picture) -> String {
        picture.to_base64()
    }
}

/// A picture in shades: 0 is black, 255 is white.
struct Shades {
    wide: u32,
    high: u32,
    shades: Vec<u8>,
}

impl Shades {
    fn of_png(file: &[u8]) -> Result<Shades, PictureError> {
        if file.len() > FILE_BYTES_MAX {
            return Err(PictureError::TooLarge);
        }
        let unread = |error: png::DecodingError| PictureError::Png(error.to_string());
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(unread)?;
        let (wide, high) = (reader.info().width, reader.info().height);
        if wide > SIDE_MAX || high > SIDE_MAX {
            return Err(PictureError::TooLarge);
        }
        let bytes = reader.output_buffer_size().ok_or(PictureError::TooLarge)?;
        let mut read = vec![0; bytes];
        reader.next_frame(&mut read).map_err(unread)?;
        let (color, _) = reader.output_color_type();
        let pixels = read.chunks_exact(color.samples());
        let shades = pixels.map(|pixel| match *pixel {
            [gray] => gray,
            [gray, alpha] => over_white(gray, alpha),
            [r, g, b] => luma(r, g, b),
            [r, g, b, alpha] => over_white(luma(r, g, b), alpha),
            _ => u8::MAX,
        });
        Ok(Shades {
            wide,
            high,
            shades: shades.collect(),
        })
    }

    fn at(&self, x: u32, y: u32) -> u8 {
        let place = y as usize * self.wide as usize + x as usize;
        self.shades.get(place).copied().unwrap_or(u8::MAX)
    }

    /// Each square of `factor` by `factor` dots becomes one.
    fn smaller(self, factor: u32) -> Shades {
        if factor == 1 {
            return self;
        }
        let (wide, high) = (self.wide.div_ceil(factor), self.high.div_ceil(factor));
        let mut shades = Vec::with_capacity(wide as usize * high as usize);
        for y in 0..high {
            for x in 0..wide {
                let (mut sum, mut count) = (0, 0);
                for from_y in (y * factor..(y + 1) * factor).filter(|y| *y < self.high) {
                    for from_x in (x * factor..(x + 1) * factor).filter(|x| *x < self.wide) {
                        sum += u32::from(self.at(from_x, from_y));
                        count += 1;
                    }
                }
                let mean = sum / count.max(1);
                shades.push(u8::try_from(mean).unwrap_or(u8::MAX));
            }
        }
        Shades { wide, high, shades }
    }

    /// Black and white alone: what a dot is too dark or too light goes to its neighbours (Floyd and
    /// Steinberg, 1976).
    fn dithered(&self) -> Picture {
        let mut picture = Picture::white(self.wide, self.high);
        let room = self.wide as usize + 2;
        // What this row and the next still owe, in sixteenths, with a place to spare on either side.
        let (mut owed, mut owed_next) = (vec![0_i32; room], vec![0_i32; room]);
        for y in 0..self.high {
            for x in 0..self.wide {
                let place = x as usize + 1;
                let shade = i32::from(self.at(x, y)) + owed[place] / 16;
                let error = match shade < 128 {
                    true => {
                        picture.blacken(x, y);
                        shade
                    }
                    false => shade - 255,
                };
                owed[place + 1] += 7 * error;
                owed_next[place - 1] += 3 * error;
                owed_next[place] += 5 * error;
                owed_next[place + 1] += error;
            }
            std::mem::swap(&mut owed, &mut owed_next);
            owed_next.fill(0);
        }
        picture
    }
}

fn luma(r: u8, g: u8, b: u8) -> u8 {
    // Rec. ITU-R BT.601, in thousandths.
    let sum = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
    u8::try_from(sum / 1000).unwrap_or(u8::MAX)
}

fn over_white(shade: u8, alpha: u8) -> u8 {
    let (shade, alpha) = (u32::from(shade), u32::from(alpha));
    u8::try_from((shade * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
}

/// The most bytes of a text that becomes a QR code: with more, its modules are too small for the
/// cameras of telephones.
pub const QR_BYTES_MAX: usize = 300;

/// The modules of a QR code, at error correction M.
pub(crate) struct Qr(QrCode);

impl Qr {
    /// What must stay free on either side, in modules.
    pub(crate) const QUIET: u32 = 4;

    /// None for a text without characters, or with more than [`QR_BYTES_MAX`] bytes.
    pub(crate) fn of(text: &str) -> Option<Qr> {
        let fits = !text.is_empty() && text.len() <= QR_BYTES_MAX;
        let code = fits.then(|| QrCode::encode_text(text, QrCodeEcc::Medium))?;
        code.ok().map(Qr)
    }

    /// Modules on a side, without what stays free.
    pub(crate) fn side(&self) -> u32 {
        self.0.size().unsigned_abs()
    }

    /// The dark modules of each row as runs: where one begins, its row, and how long it is.
    pub(crate) fn runs(&self) -> Vec<(u32, u32, u32)> {
        let side = self.side();
        let mut runs: Vec<(u32, u32, u32)> = Vec::new();
        for y in 0..side {
            let mut is_open = false;
            for x in 0..side {
                let dark = self.0.get_module(x as i32, y as i32);
                match runs.last_mut().filter(|_| dark && is_open) {
                    Some(run) => run.2 += 1,
                    None if dark => runs.push((x, y, 1)),
                    None => {}
                }
                is_open = dark;
            }
        }
        runs
    }

    /// As dots, each module a square of them, as large as fits half the paper.
    pub(crate) fn picture(&self) -> Picture {
        let module = (PICTURE_HIGH_MAX / self.side()).clamp(2, 6);
        let side = self.side() * module;
        let mut picture = Picture::white(side, side);
        for (x, y, run) in self.runs() {
            for x in x * module..(x + run) * module {
                for y in y * module..(y + 1) * module {
                    picture.blacken(x, y);
                }
            }
        }
        picture
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png_of(wide: u32, high: u32, color: png::ColorType, bytes: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, wide, high);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(bytes).unwrap();
        writer.finish().unwrap();
        file
    }

    fn drawn(picture: &Picture) -> Vec<String> {
        let dot = |row: &[u8], x: u32| match row[x as usize / 8] & (0x80 >> (x % 8)) {
            0 => '.',
            _ => '#',
        };
        let rows = picture.rows();
        rows.map(|row| (0..picture.wide()).map(|x| dot(row, x)).collect())
            .collect()
    }

    #[test]
    fn a_picture_of_any_colours_becomes_dots() {
        let check = |color, bytes: &[u8], expected: &str| {
            let picture = Picture::from_png(&png_of(2, 1, color, bytes)).unwrap();
            assert_eq!(drawn(&picture), [expected], "{color:?}");
        };
        check(png::ColorType::Grayscale, &[0, 255], "#.");
        check(png::ColorType::GrayscaleAlpha, &[0, 255, 0, 0], "#.");
        check(png::ColorType::Rgb, &[0, 0, 90, 255, 255, 200], "#.");
        check(png::ColorType::Rgba, &[0, 0, 0, 0, 20, 0, 0, 255], ".#");
    }

    #[test]
    fn shades_become_as_many_dots_as_they_are_dark() {
        let shades = [128; 64 * 64];
        let file = png_of(64, 64, png::ColorType::Grayscale, &shades);
        let picture = Picture::from_png(&file).unwrap();
        let black = drawn(&picture).concat().matches('#').count();
        assert!((1_900..2_200).contains(&black), "{black} of 4096");
    }

    #[test]
    fn a_picture_too_large_for_paper_is_made_smaller() {
        let check = |wide: u32, high: u32, expected: (u32, u32)| {
            let bytes = vec![0; (wide * high) as usize];
            let file = png_of(wide, high, png::ColorType::Grayscale, &bytes);
            let picture = Picture::from_png(&file).unwrap();
            assert_eq!((picture.wide(), picture.high()), expected);
            assert!(drawn(&picture).concat().chars().all(|dot| dot == '#'));
        };
        check(384, 240, (384, 240));
        check(385, 10, (193, 5));
        check(100, 1_000, (20, 200));
        check(1, 1, (1, 1));
    }

    #[test]
    fn a_picture_is_the_same_after_its_text() {
        let picture = Qr::of("https://example.com/1-000042").unwrap().picture();
        let text = picture.to_base64();
        assert_eq!(Picture::from_base64(&text).unwrap(), picture);
        let json = serde_json::to_string(&picture).unwrap();
        assert_eq!(serde_json::from_str::<Picture>(&json).unwrap(), picture);
    }

    #[test]
    fn what_is_no_picture_is_told() {
        let check = |text: &str, expected: &str| {
            let told = Picture::from_base64(text).unwrap_err().to_string();
            assert!(told.contains(expected), "{told}");
        };
        check("logo.png", "Base64");
        check("", "PNG");
        check(&STANDARD.encode("GIF89a"), "PNG");
        let file = png_of(2, 1, png::ColorType::Grayscale, &[0, 255]);
        check(&STANDARD.encode(&file[..file.len() / 2]), "PNG");
        let wide = png_of(5_000, 1, png::ColorType::Grayscale, &[0; 5_000]);
        check(&STANDARD.encode(wide), "4096");
    }

    #[test]
    fn a_qr_code_is_that_of_the_standard() {
        // ISO/IEC 18004: version 1 has 21 modules; a finder pattern of 7 in three corners, and the
        // dark module beside the lower one.
        let qr = Qr::of("LANEMESH").unwrap();
        assert_eq!(qr.side(), 21);
        let rows: Vec<String> = {
            let mut dark = vec![vec!['.'; 21]; 21];
            for (x, y, run) in qr.runs() {
                (x..x + run).for_each(|x| dark[y as usize][x as usize] = '#');
            }
            dark.into_iter()
                .map(|row| row.into_iter().collect())
                .collect()
        };
        let finder = [
            "#######.", "#.....#.", "#.###.#.", "#.###.#.", "#.###.#.", "#.....#.", "#######.",
        ];
        for (y, expected) in finder.iter().enumerate() {
            assert_eq!(rows[y][..8], **expected);
            assert_eq!(rows[14 + y][..7], expected[..7]);
            assert_eq!(rows[y][14..], expected[..7]);
        }
        assert_eq!(rows[13].as_bytes()[8], b'#');
        let picture = qr.picture();
        assert_eq!((picture.wide(), picture.high()), (126, 126));
        assert!(Qr::of("").is_none());
        assert!(Qr::of(&"x".repeat(QR_BYTES_MAX)).is_some());
        assert!(Qr::of(&"x".repeat(QR_BYTES_MAX + 1)).is_none());
    }
}
