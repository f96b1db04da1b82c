# Asterisk 22 from Debian's packages, configured from asterisk-conf/ when the container starts.
# It runs as user `asterisk` on a read-only root: what it writes lies in the volumes and in /run.
# Build from the repository's root:  docker build -f docker/asterisk.Dockerfile .
ARG DEBIAN_FORKY=docker.io/library/debian:forky-slim

FROM ${DEBIAN_FORKY} AS base
COPY docker/apt-install /usr/local/sbin/apt-install

# A caller for docker/check.sh: SIPp and nothing else. Not part of `docker compose up`.
FROM base AS caller
# Empty: the sources the base image came with.
ARG APT_MIRROR=
ARG APT_CHECK_VALID_UNTIL=true
RUN apt-install sip-tester
USER nobody
WORKDIR /tmp
ENTRYPOINT ["sipp"]

FROM base AS asterisk
ARG APT_MIRROR=
ARG APT_CHECK_VALID_UNTIL=true
# Fixed ids, before the package makes its own: the router reads recordings through the group. The
# folders of /srv/asterisk are where the volumes go, which take over owner and mode. /srv/pbx will be
# in memory, and is open to all as /tmp is because not every engine gives such a mount another owner.
# /etc/asterisk leads to the configuration made at start, so that plain `asterisk -rx` finds it.
RUN groupadd --gid 10001 call-router \
    && useradd --uid 10002 --gid call-router --no-create-home --home-dir /var/lib/asterisk \
        --shell /usr/sbin/nologin asterisk \
    && apt-install asterisk python3 \
    && rm -rf /etc/asterisk \
    && ln -s /srv/pbx/asterisk/conf /etc/asterisk \
    && install -d -m 1777 /srv/pbx \
    && install -d -o asterisk -g call-router -m 0750 \
        /srv/asterisk/db /srv/asterisk/log /srv/asterisk/spool
COPY docker/asterisk-entrypoint.py /app/asterisk-entrypoint.py
COPY router/__init__.py /app/router/__init__.py
COPY router/firstrun/__init__.py router/firstrun/asterisk.py router/firstrun/asterisk_config.py \
    router/firstrun/process.py router/firstrun/users.py /app/router/firstrun/
COPY asterisk-conf /app/asterisk-conf
# The renderer needs the standard library only; should that change, the build says so.
RUN python3 -m compileall -q /app && cd /app && python3 -c 'import router.firstrun.asterisk'

ENV PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8
USER asterisk
EXPOSE 5060/udp
# "core stop gracefully" would wait for calls to end by themselves; TERM ends them in order.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["asterisk", "-rx", "core waitfullybooted"]
ENTRYPOINT ["python3", "/app/asterisk-entrypoint.py"]
