//! The same inputs and seed give the same effects, and no input does harm.
