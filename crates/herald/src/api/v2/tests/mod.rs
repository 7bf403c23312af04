mod access;
mod channels;
mod messages;
