mod api;
mod board;
mod identity;
mod merge;
mod pipeline;
mod search;
