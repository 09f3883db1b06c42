#!/bin/sh
# Writes nginx's file for compose.yaml from deploy/nginx/liveai.conf: with the addresses, the name and the
# certificate of the containers. With LIVEAI_PROXY, the address of a proxy that ends TLS, it is for plain
# HTTP behind that proxy. nginx's image runs it before nginx, as /docker-entrypoint.d/*.sh.
set -eu
source=${LIVEAI_CONF:-/opt/liveai/liveai.conf}
target=${LIVEAI_NGINX_CONF:-/etc/nginx/conf.d/liveai.conf}
proxy=${LIVEAI_PROXY:-}

case $proxy in
*[!0-9a-fA-F.:/]*)
    echo "LIVEAI_PROXY is not an IP address or network: $proxy" >&2
    exit 1
    ;;
esac
tls() { sed -e 's/# TLS: //' -e '/# plain/d'; }
behind_proxy() { sed -e '/# TLS: /d' -e "s|# PROXY: \(.*\)10\.0\.0\.1|\1$proxy|" -e 's/# PROXY: //'; }

# A stopped container does not refuse, its address is silent. So a process that failed is left out for 5 s.
# If all failed, e.g. with a 503 as Redis is gone, the lines with `backup` let nginx ask nevertheless.
if [ -n "$proxy" ]; then behind_proxy; else tls; fi <"$source" | sed \
    -e 's/^\( *server \)\(127\.0\.0\.1:800[12]\) max_fails=0;/\1\2 max_fails=1 fail_timeout=5s;\
\1\2 max_fails=0 backup;/' |
    sed -e "s/127\.0\.0\.1:8001/$LIVEAI_WEB_1/; s/127\.0\.0\.1:8002/$LIVEAI_WEB_2/" \
        -e 's/proxy_next_upstream_tries 3;/proxy_next_upstream_tries 2;/' \
        -e 's#/etc/letsencrypt/live/ai\.example\.org/#/etc/nginx/certificate/#' \
        -e "s/ai\.example\.org/$LIVEAI_HOST/g" \
        -e 's#access_log /var/log/nginx/liveai.log#access_log /dev/stdout#' \
        -e 's#error_log /var/log/nginx/liveai-error.log#error_log /dev/stderr#' \
        >"$target"
