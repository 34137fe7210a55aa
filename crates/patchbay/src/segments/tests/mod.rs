mod api;
mod base;
mod naive;
mod truth;
