mod api;
mod identity;
mod pipeline;
mod search;
