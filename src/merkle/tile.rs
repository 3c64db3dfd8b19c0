//! Where the hashes of a tree lie: tiles of up to 256, and their paths.
//!
//! The tile of level 0 and index n holds the leaf hashes 256·n to 256·n + 255; a hash in a tile of level l is the root of
//! 256^l leaves, and stands there only once these are complete. The last tile of a level may be partial: it then says
//! how many hashes it has. Beside level 0 lie the entries themselves, in bundles of the same width
//! (c2sp.org/tlog-tiles, "Merkle Tree" and "Log entries"). A tree of size 70,000 has, among others:
//!
//! ```
//! use servanda::merkle::tile::{Level, TilePath, tiles};
//! let path: TilePath = "tile/0/273.p/112".parse()?;
//! assert_eq!(path, TilePath { level: Level::Hash(0), index: 273, width: 112 });
//! assert_eq!(tiles(70_000).last().map(|path| path.to_string()).as_deref(), Some("tile/2/000.p/1"));
//! let index = TilePath { level: Level::Entries, index: 1_234_067, width: 256 };
//! assert_eq!(index.to_string(), "tile/entries/x001/x234/067");
//! # Ok::<(), servanda::merkle::tile::TileError>(())
//! ```
//!
//! All of it is arithmetic on numbers and paths: what a tile's bytes are worth is for [`super::prove`] and
//! [`super::builder`] to say; bundles are taken apart in [`super::bundle`].

use crate::hash::Hash;
use crate::text::decimal_u64;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// The hashes in a full tile, and the entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// The bytes of a full tile of hashes.
pub const TILE_LEN: usize = 256 * HASH_LEN;

/// The highest level that a path may name.
pub const LEVEL_MAX: u8 = 63;

/// The longest path, in bytes: seven groups of three digits, on level 63 or of entries, partial.
pub const TILE_PATH_MAX: usize = "tile/entries/x018/x446/x744/x073/x709/x551/615.p/255".len();

/// The levels that a tree of fewer than 2^64 leaves can have.
pub(super) const LEVELS: u8 = 8;

const HASH_LEN: usize = 32;
const WIDTH: u64 = TILE_WIDTH as u64;

/// Why a path or a tile is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// The text is no path of a tile or bundle in its one form.
    #[error("not the path of a tile or an entry bundle")]
    Path,
    /// A tile has another length than its width asks for.
    #[error("tile {path} has length {got}, want {want}")]
    Length {
        /// The tile.
        path: TilePath,
        /// The bytes it has.
        got: usize,
        /// 32 for each hash.
        want: usize,
    },
}

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Entries: it is called a bundle then.
    Entries,
    /// Hashes, each of 256^level leaves; 0 to 63.
    Hash(u8),
}

impl Level {
    /// The number of complete subtrees of this level, or of entries, in a tree of a size.
    fn count(self, size: u64) -> u64 {
        match self {
            Self::Entries => size,
            Self::Hash(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        }
    }
}

/// The name of a tile or entry bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TilePath {
    /// What it holds.
    pub level: Level,
    /// Which one on its level, from 0.
    pub index: u64,
    /// How many hashes or entries it has: 1 to 256; 256 is full.
    pub width: u16,
}

impl TilePath {
    /// The tile of a level and index as a tree of a size has it, full or partial; none if it has no such tile.
    #[must_use]
    pub fn at(level: Level, index: u64, size: u64) -> Option<Self> {
        let hashes = level.count(size).checked_sub(index.checked_mul(WIDTH)?)?;
        let width = u16::try_from(hashes.min(WIDTH)).expect("at most 256");
        (width > 0).then_some(Self { level, index, width })
    }

    /// Tells whether it has all of its 256 hashes or entries, and so never changes again.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The full tile that this one becomes, or is.
    #[must_use]
    pub fn full(self) -> Self {
        Self { width: TILE_WIDTH, ..self }
    }

    /// The bytes that a tile of hashes of this width has.
    #[must_use]
    pub fn hashes_len(&self) -> usize {
        usize::from(self.width) * HASH_LEN
    }

    /// Takes the bytes of this tile apart into hashes.
    ///
    /// # Errors
    /// [`TileError::Length`], unless there are 32 bytes for each hash.
    pub fn hashes(&self, bytes: &[u8]) -> Result<Vec<Hash>, TileError> {
        let (hashes, rest) = bytes.as_chunks();
        if hashes.len() != usize::from(self.width) || !rest.is_empty() {
            return Err(TileError::Length { path: *self, got: bytes.len(), want: self.hashes_len() });
        }
        Ok(hashes.iter().map(|hash| Hash(*hash)).collect())
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Level::Entries => f.write_str("tile/entries/")?,
            Level::Hash(level) => write!(f, "tile/{level}/")?,
        }
        let groups = self.index.checked_ilog(1000).unwrap_or(0);
        for group in (1..=groups).rev() {
            write!(f, "x{:03}/", self.index / 1000_u64.pow(group) % 1000)?;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl FromStr for TilePath {
    type Err = TileError;

    fn from_str(text: &str) -> Result<Self, TileError> {
        // Read leniently what it names, then demand the one form of that.
        let read = || {
            let (level, rest) = text.strip_prefix("tile/")?.split_once('/')?;
            let level = match level {
                "entries" => Level::Entries,
                level => Level::Hash(u8::try_from(decimal_u64(level)?).ok().filter(|&l| l <= LEVEL_MAX)?),
            };
            let (index, width) = match rest.split_once(".p/") {
                None => (rest, TILE_WIDTH),
                Some((index, width)) => {
                    (index, u16::try_from(decimal_u64(width)?).ok().filter(|w| (1..TILE_WIDTH).contains(w))?)
                }
            };
            let digits: String = index.chars().filter(char::is_ascii_digit).collect();
            Some(Self { level, index: digits.parse().ok()?, width })
        };
        let path = if text.len() <= TILE_PATH_MAX { read() } else { None };
        path.filter(|path| path.to_string() == text).ok_or(TileError::Path)
    }
}

/// The tiles of hashes that a tree of a size has, level by level, left to right; the last of a level may be partial.
///
/// The entry bundles are those of level 0 under another name: [`bundles`].
pub fn tiles(size: u64) -> impl Iterator<Item = TilePath> {
    growth(0, size)
}

/// The entry bundles that a tree of a size has; the last one may be partial.
pub fn bundles(size: u64) -> impl Iterator<Item = TilePath> {
    bundle_growth(0, size)
}

/// The tiles of hashes that differ between a tree of size `from` and the larger one it grew to: what has to be written,
/// or read anew.
pub fn growth(from: u64, to: u64) -> impl Iterator<Item = TilePath> {
    (0..LEVELS).flat_map(move |level| changed(Level::Hash(level), from, to))
}

/// The entry bundles that differ between a tree of size `from` and the larger one it grew to.
pub fn bundle_growth(from: u64, to: u64) -> impl Iterator<Item = TilePath> {
    changed(Level::Entries, from, to)
}

/// The partial tiles at the right edge of a tree, from level 0 upwards: they commit to everything left of them.
pub fn edge(size: u64) -> impl Iterator<Item = TilePath> {
    let last = move |level| {
        let count = Level::Hash(level).count(size);
        TilePath::at(Level::Hash(level), count / WIDTH, size)
    };
    (0..LEVELS).filter_map(last)
}

fn changed(level: Level, from: u64, to: u64) -> impl Iterator<Item = TilePath> {
    let (from, count) = (level.count(from), level.count(to));
    let indexes: Range<u64> = if from < count { from / WIDTH..count.div_ceil(WIDTH) } else { 0..0 };
    indexes.map(move |index| TilePath::at(level, index, to).expect("the index lies within the level"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn paths(tiles: impl Iterator<Item = TilePath>) -> Vec<String> {
        tiles.map(|path| path.to_string()).collect()
    }

    #[test]
    fn the_tiles_of_a_size_are_those_of_the_specification() {
        assert_eq!(paths(tiles(0)), [""; 0]);
        assert_eq!(paths(tiles(256)), ["tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(paths(tiles(300)), ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"]);
        let of_70_000 = paths(tiles(70_000));
        assert_eq!(of_70_000.len(), 274 + 2 + 1);
        assert_eq!(
            of_70_000[272..],
            ["tile/0/272", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
        );
        assert_eq!(paths(bundles(300)), ["tile/entries/000", "tile/entries/001.p/44"]);
        assert_eq!(paths(edge(65_536 + 300)), ["tile/0/257.p/44", "tile/1/001.p/1", "tile/2/000.p/1"]);
        assert_eq!(paths(edge(65_536)), ["tile/2/000.p/1"]);
    }

    #[test]
    fn a_growth_writes_the_tiles_that_changed_and_no_other() {
        assert_eq!(paths(growth(255, 256)), ["tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(paths(growth(256, 257)), ["tile/0/001.p/1"]);
        assert_eq!(paths(growth(300, 300)), [""; 0]);
        assert_eq!(paths(growth(300, 299)), [""; 0]);
        assert_eq!(
            paths(bundle_growth(200, 513)),
            ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/1"]
        );
        for (from, to) in [(0, 70_000), (1, 65_536), (65_535, 65_536), (65_536, 131_073), (511, 512)] {
            let old: BTreeSet<_> = tiles(from).collect();
            let new: BTreeSet<_> = tiles(to).collect();
            assert_eq!(growth(from, to).collect::<BTreeSet<_>>(), new.difference(&old).copied().collect());
        }
    }

    #[test]
    fn the_largest_size_has_its_edge_on_eight_levels() {
        assert_eq!(edge(u64::MAX).count(), 8);
        assert!(edge(u64::MAX).all(|path| path.width == 255));
        assert_eq!(TilePath::at(Level::Hash(0), u64::MAX, u64::MAX), None);
        assert_eq!(TilePath::at(Level::Hash(LEVEL_MAX), 0, u64::MAX), None);
        let longest = TilePath { level: Level::Entries, index: u64::MAX, width: 255 };
        assert_eq!(longest.to_string().len(), TILE_PATH_MAX);
        assert_eq!(longest.to_string().parse(), Ok(longest));
    }

    #[test]
    fn a_path_has_one_form() {
        for good in ["tile/0/000", "tile/63/x001/x234/067.p/44", "tile/entries/999", "tile/1/x001/000.p/255"]
        {
            assert_eq!(good.parse::<TilePath>().map(|path| path.to_string()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/x01/001",
            "tile/0/001/002",
            "tile/0/x001",
            "tile/0/001.p/256",
            "tile/0/001.p/0",
            "tile/0/001.p/01",
            "tile/0/001.p/",
            "tile/64/000",
            "tile/00/000",
            "tile/-1/000",
            "tile/+1/000",
            "tile/data/000",
            "tile/Entries/000",
            "/tile/0/000",
            "tile/0/000/",
            "tile/0/٠٠٠",
            "tile/0/000.p/1.p/1",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
        ] {
            assert_eq!(bad.parse::<TilePath>(), Err(TileError::Path), "{bad:?}");
        }
    }

    #[test]
    fn a_tile_cut_short_or_prolonged_is_refused() {
        let path: TilePath = "tile/0/000.p/2".parse().unwrap();
        assert_eq!(path.hashes(&[7; 64]), Ok(vec![Hash([7; 32]); 2]));
        for got in [0, 32, 63, 65, 96] {
            assert_eq!(path.hashes(&vec![7; got]), Err(TileError::Length { path, got, want: 64 }));
        }
    }

    proptest! {
        #[test]
        fn every_path_is_read_back(level in 0..=LEVEL_MAX, entries: bool, index: u64, shift in 0..64, width in 1..=TILE_WIDTH) {
            let level = if entries { Level::Entries } else { Level::Hash(level) };
            let path = TilePath { level, index: index >> shift, width };
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }

        #[test]
        fn any_text_is_refused_or_written_the_same(text in "\\PC{0,60}|tile/[0-9]{1,2}/(x[0-9]{3}/){0,7}[0-9]{3}(\\.p/[0-9]{1,3})?") {
            if let Ok(path) = text.parse::<TilePath>() {
                prop_assert_eq!(path.to_string(), text);
            }
        }
    }
}
