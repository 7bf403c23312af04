mod access;
mod channels;
mod messages;
mod subscriptions;
mod templates;
