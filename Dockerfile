# One target per service, one for the operators' command, one for the demonstration. Each holds the locked
# packages that its extra of pyproject.toml names, and no other service's code.
# No BuildKit feature is used, so that every builder can build it.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS tools
ARG UV_VERSION=0.13.9
ARG PACKAGE_INDEX=https://pypi.org/simple
ENV PACKAGE_INDEX=${PACKAGE_INDEX}
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --quiet --no-cache-dir --index-url "${PACKAGE_INDEX}" "uv==${UV_VERSION}"
WORKDIR /build
COPY pyproject.toml uv.lock deploy/images/install.sh ./

FROM tools AS intake-packages
RUN sh install.sh --extra intake
FROM tools AS geo-packages
RUN sh install.sh --extra geo
FROM tools AS dispatch-packages
RUN sh install.sh --extra dispatch
FROM tools AS notify-packages
RUN sh install.sh --extra notify
FROM tools AS cli-packages
RUN sh install.sh --extra cli
FROM tools AS demo-packages
RUN sh install.sh --extra cli --group demo

# Compiled here, because nothing can be written where they run.
FROM ${PYTHON_IMAGE} AS code
WORKDIR /opt/ruamjai
COPY deploy/images/health.py ./
COPY shared shared
COPY services services
COPY deploy/__init__.py deploy/__init__.py
COPY deploy/local deploy/local
RUN python -m compileall -q --invalidation-mode unchecked-hash .

# The operators' command finds what services bring by the metadata of an installed package.
FROM tools AS wheel
RUN sh install.sh --only-group build
COPY README.md LICENSE ./
COPY shared shared
COPY services services
RUN /opt/ruamjai/env/bin/python -m hatchling build -t wheel -d /wheel
FROM cli-packages AS cli-installed
COPY --from=wheel /wheel /wheel
RUN sh install.sh --wheel /wheel/*.whl

FROM ${PYTHON_IMAGE} AS runtime
LABEL org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.vendor=Ruamjai
ENV PATH=/opt/ruamjai/env/bin:${PATH} \
    PYTHONPATH=/opt/ruamjai \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data \
    HTTP_HOST=0.0.0.0 \
    API_HOST=0.0.0.0
RUN install -d -o 65532 -g 65532 /data
WORKDIR /opt/ruamjai
USER 65532:65532

FROM runtime AS service
COPY --from=code /opt/ruamjai/health.py ./
COPY --from=code /opt/ruamjai/shared shared
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["python", "-I", "health.py", "/livez"]

FROM service AS intake
COPY --from=intake-packages /opt/ruamjai/env env
COPY --from=code /opt/ruamjai/services/__init__.py services/
COPY --from=code /opt/ruamjai/services/intake services/intake
EXPOSE 8000
CMD ["python", "-m", "services.intake.app"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title=ruamjai-intake \
      org.opencontainers.image.description="Takes reports over HTTP and makes each durable exactly once" \
      org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION}

FROM service AS geo
COPY --from=geo-packages /opt/ruamjai/env env
COPY --from=code /opt/ruamjai/services/__init__.py services/
COPY --from=code /opt/ruamjai/services/geo services/geo
CMD ["python", "-m", "services.geo.app"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title=ruamjai-geo \
      org.opencontainers.image.description="Puts each report on the map and finds the desk that decides there" \
      org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION}

FROM service AS dispatch
COPY --from=dispatch-packages /opt/ruamjai/env env
COPY --from=code /opt/ruamjai/services/__init__.py services/
COPY --from=code /opt/ruamjai/services/dispatch services/dispatch
EXPOSE 8000
CMD ["python", "-m", "services.dispatch.app"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title=ruamjai-dispatch \
      org.opencontainers.image.description="Desks: incidents, tasks, units, escalation" \
      org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION}

FROM service AS notify
COPY --from=notify-packages /opt/ruamjai/env env
COPY --from=code /opt/ruamjai/services/__init__.py services/
COPY --from=code /opt/ruamjai/services/notify services/notify
EXPOSE 8000
CMD ["python", "-m", "services.notify.app"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title=ruamjai-notify \
      org.opencontainers.image.description="Tells every partner what its agreement allows, and proves it" \
      org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION}

FROM runtime AS cli
COPY --from=cli-installed /opt/ruamjai/env env
ENV PYTHONPATH=
ENTRYPOINT ["ruamjai"]
CMD ["--help"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title=ruamjai-cli \
      org.opencontainers.image.description="The operators' command: topics, dead letters, packs, agreements" \
      org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION}

FROM runtime AS demo
COPY --from=demo-packages /opt/ruamjai/env env
COPY --from=code /opt/ruamjai/shared shared
COPY --from=code /opt/ruamjai/services services
COPY --from=code /opt/ruamjai/deploy deploy
ENTRYPOINT ["python", "-m", "deploy.local.demo"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title=ruamjai-demo \
      org.opencontainers.image.description="Plays a day in Phetchabun on services that run elsewhere, and judges it" \
      org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION}
