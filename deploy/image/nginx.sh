#!/bin/sh
# Writes nginx's file for compose.yaml from deploy/nginx/liveai.conf: with TLS, and with the addresses, the
# name and the certificate of the containers. nginx's image runs it before nginx, as /docker-entrypoint.d/*.sh.
set -eu
source=${LIVEAI_CONF:-/opt/liveai/liveai.conf}
target=${LIVEAI_NGINX_CONF:-/etc/nginx/conf.d/liveai.conf}

sed -e 's/# TLS: //' -e '/# plain/d' \
    -e "s/127\.0\.0\.1:8001/$LIVEAI_WEB_1/; s/127\.0\.0\.1:8002/$LIVEAI_WEB_2/" \
    -e 's#/etc/letsencrypt/live/ai\.example\.org/#/etc/nginx/certificate/#' \
    -e "s/ai\.example\.org/$LIVEAI_HOST/g" \
    -e 's#access_log /var/log/nginx/liveai.log#access_log /dev/stdout#' \
    -e 's#error_log /var/log/nginx/liveai-error.log#error_log /dev/stderr#' \
    "$source" >"$target"
