# One image for the services; `docker-compose.yml` shows them at work.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /source
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# Dependencies first: a change of our own code then takes the layer with them from the cache.
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r requirements/build.txt \
    && python -m venv /opt/operate-connector \
    && /opt/operate-connector/bin/pip install --require-hashes -r requirements/runtime.txt
COPY . .
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
    && /opt/operate-connector/bin/pip install --no-deps --no-index /wheels/*.whl \
    && /opt/operate-connector/bin/python -m compileall -q /opt/operate-connector/lib \
    && /opt/operate-connector/bin/pip uninstall --yes pip setuptools

FROM ${PYTHON}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="operate-connector" \
      org.opencontainers.image.description="Asks Camunda 8 about its processes from a BPMN service task" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /opt/operate-connector /opt/operate-connector
# Everything but /tmp may be read-only: nothing is written.
ENV PATH=/opt/operate-connector/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 9601 9602
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["operate-connector", "health"]
ENTRYPOINT ["operate-connector"]
CMD ["run"]
