mod api;
mod board;
mod identity;
mod merge;
mod pages;
mod pipeline;
mod search;
