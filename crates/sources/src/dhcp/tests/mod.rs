mod files;
mod following;
