-- The object store's names. Its nodes start together, and making the table is no work for three.
CREATE DATABASE weed;
\connect weed
CREATE TABLE filemeta (
    dirhash BIGINT,
    name VARCHAR(65535),
    directory VARCHAR(65535),
    meta bytea,
    PRIMARY KEY (dirhash, name)
);
