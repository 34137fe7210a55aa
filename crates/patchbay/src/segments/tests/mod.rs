mod api;
mod base;
mod members;
mod naive;
mod pages;
mod truth;
