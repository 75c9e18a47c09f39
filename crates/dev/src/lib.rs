//! What a developer's machine needs around the product: the local stack of real servers, the shop simulator and
//! the checks of the repository. Nothing depends on this crate, and it drives the product only through its binaries.

mod bed;
pub mod bench;
pub mod cli;
pub mod demo;
pub mod faults;
pub mod simulate;
pub mod stack;
pub mod suite;
pub mod tidy;
