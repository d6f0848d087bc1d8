# The daemon as an image: nothing but the interpreter, the locked wheels and the package; runs as any non-root user,
# on a read-only root, and writes to /data alone. `make check` reads this file (tools/checks/dockerfile.py), and
# tests/tools/test_dockerfile.py runs its steps without an engine.

FROM rust:1.95.0-slim-bookworm AS native
WORKDIR /build
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv
COPY requirements requirements
RUN python3 -m venv /tools && /tools/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY native native
# Why no manylinux: this wheel never leaves the image, whose last stage has the same C library.
RUN /tools/bin/maturin build --release --locked --manifest-path native/Cargo.toml --compatibility linux --out dist

FROM python:3.11.13-slim-bookworm AS build
WORKDIR /build
COPY requirements requirements
# Two environments: what builds the wheel never reaches the image.
RUN python -m venv /tools && /tools/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
RUN python -m venv /opt/sidecar && /opt/sidecar/bin/pip install --no-cache-dir --no-compile --only-binary :all: --require-hashes -r requirements/runtime.txt
COPY LICENSE README.md pyproject.toml ./
COPY sidecar sidecar
COPY --from=native /build/dist dist
RUN /tools/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . && /opt/sidecar/bin/pip install --no-cache-dir --no-compile --no-deps --no-index dist/*.whl
# Why unchecked: the root is read-only, so that what is compiled here is what runs; start-up skips a stat per module.
RUN /opt/sidecar/bin/pip uninstall --yes pip setuptools && python -m compileall -q --invalidation-mode unchecked-hash /opt/sidecar/lib
# An empty directory with the right owner: an anonymous volume takes both from the image.
RUN mkdir /data && chown 65532:65532 /data && chmod 0770 /data

FROM python:3.11.13-slim-bookworm
LABEL org.opencontainers.image.title="decision-sidecar" org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/sidecar/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 SIDECAR_DATA_DIR=/data
COPY --from=build /opt/sidecar /opt/sidecar
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8013 8014
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["sidecar", "health"]
ENTRYPOINT ["sidecar"]
CMD ["serve"]
