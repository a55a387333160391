# The program alone: a static binary, no shell, no root.
#
#   docker build -t elysia-runbook .
#   docker run --rm elysia-runbook run config-replication --sandbox

FROM rust:1.95-alpine AS build
RUN apk add --no-cache build-base ca-certificates
WORKDIR /build
COPY . .
RUN cargo build --release --locked --bin elysia-runbook && mkdir /home-of-runs

FROM scratch
# The authorities that https nodes are verified with, unless `ca_file` names others.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /build/target/release/elysia-runbook /elysia-runbook
COPY --from=build --chown=65532:65532 /home-of-runs /state
# Where dry runs and tests work.
COPY --from=build --chown=65532:65532 /home-of-runs /tmp
# Journals and backups: without a volume they end with the container.
ENV ELYSIA_RUNBOOK_HOME=/state HOME=/state
VOLUME /state
WORKDIR /state
USER 65532:65532
ENTRYPOINT ["/elysia-runbook"]
