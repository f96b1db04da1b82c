# PostgreSQL with the start-up contract of the public `postgres` image, from Debian's packages.
# Only for machines that can reach no image registry (docker/check.sh builds it there); compose.yaml
# names the public image. Kept of the contract: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB,
# POSTGRES_INITDB_ARGS, PGDATA, /docker-entrypoint-initdb.d, user postgres = 999:999, the volume.
ARG DEBIAN_FORKY=docker.io/library/debian:forky-slim
FROM ${DEBIAN_FORKY}

# Empty: the sources the base image came with.
ARG APT_MIRROR=
ARG APT_CHECK_VALID_UNTIL=true
COPY docker/apt-install /usr/local/sbin/apt-install

# postgresql-common first, told not to make a cluster: the entrypoint makes one in the volume.
RUN groupadd --system --gid 999 postgres \
    && useradd --system --uid 999 --gid postgres --home-dir /var/lib/postgresql --shell /bin/bash postgres \
    && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql \
    && mkdir -p /etc/postgresql-common \
    && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
    && apt-install postgresql-18 \
    && install -d -o postgres -g postgres -m 3777 /var/run/postgresql \
    && mkdir /docker-entrypoint-initdb.d

COPY docker/postgres-standin-entrypoint /usr/local/bin/docker-entrypoint.sh

ENV PATH=/usr/lib/postgresql/18/bin:/usr/local/bin:/usr/bin:/bin \
    PGDATA=/var/lib/postgresql/18/docker \
    LANG=C.UTF-8
VOLUME /var/lib/postgresql
EXPOSE 5432
# Fast shutdown: sessions are ended, nothing committed is lost.
STOPSIGNAL SIGINT
USER postgres
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
