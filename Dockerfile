# The image of all processes of the site: `serve`, `work` and what comes before them. compose.yaml runs it;
# docs/operate/containers.md explains it. The steps are scripts of deploy/, which also run without
# Docker. Building needs the base image, PyPI and npm's registry, and nothing else from the network.
ARG PYTHON=3.13

# --- The packages that run ------------------------------------------------------------
FROM python:${PYTHON}-slim-bookworm AS packages
WORKDIR /opt/liveai
# More packages, as words of deploy/build/packages: social, otel, model.
ARG MORE=""
COPY locks locks
COPY deploy/build/packages deploy/build/packages
RUN --mount=type=cache,target=/root/.cache/pip deploy/build/packages ${MORE}

# --- The pages and all static files; Node stays in this stage ---------------------------
FROM packages AS files
RUN --mount=type=cache,target=/root/.cache/pip deploy/build/packages node
COPY . .
RUN --mount=type=cache,target=/root/.npm deploy/build/pages
RUN deploy/image/files /image

# --- The image --------------------------------------------------------------------------
FROM python:${PYTHON}-slim-bookworm
# The id is fixed, because compose.yaml names it for the folder that is written.
RUN groupadd --system --gid 10001 liveai \
    && useradd --system --uid 10001 --gid liveai --home-dir /opt/liveai --no-create-home \
        --shell /usr/sbin/nologin liveai \
    && install -d -o liveai -g liveai -m 755 /srv/liveai/static
WORKDIR /opt/liveai
COPY --from=packages /opt/liveai/.venv .venv
COPY --from=files /image .
ENV PATH="/opt/liveai/.venv/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000
# Drains for STREAM_DRAIN_SECONDS (20): the stop of the container must leave it 45 s.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 \
    CMD ["python", "deploy/image/health.py"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000"]
