mod api;
mod board;
mod duplicates;
mod identity;
mod merge;
mod pages;
mod pipeline;
mod search;
