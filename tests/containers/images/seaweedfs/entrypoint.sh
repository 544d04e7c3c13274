#!/bin/sh
# What the image says before our own words to `server`, and that it is not root.
set -eu
[ "$1" = server ] && shift
chown seaweed /data
exec setpriv --reuid=seaweed --regid=seaweed --clear-groups /usr/bin/weed server \
    -dir=/data -volume.max=0 -master.volumePreallocate -master.volumeSizeLimitMB=1024 "$@"
