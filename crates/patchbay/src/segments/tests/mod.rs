mod api;
mod base;
mod naive;
mod pages;
mod truth;
