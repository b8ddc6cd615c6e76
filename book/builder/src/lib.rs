//! Builds the book: weaves the chapters' own code into its pages, and refuses what is not so.
//!
//! A page is Markdown with directives on lines of their own. [`weave()`] expands them from the sources that the tests compile, and
//! collects every [`Defect`]; only a book without one is rendered.
#![forbid(unsafe_code)]

mod anchors;
mod beats;
mod breaks;
mod coverage;
mod defect;
mod facts;
mod glossary;
mod highlight;
mod indexes;
mod items;
mod links;
mod listing;
mod page;
mod proof;
mod prose;
mod search;
mod serve;
mod site;
mod snippet;
mod so_far;
mod source_pages;
mod sources;
mod stage;
mod transcript;
mod weave;

pub use defect::Defect;
pub use page::Page;
pub use proof::prove;
pub use serve::serve;
pub use site::{Built, build};
pub use weave::{Woven, weave};
