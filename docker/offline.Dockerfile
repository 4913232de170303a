# syntax=docker/dockerfile:1
# The offline jobs: fetch, clean, fine-tune, evaluate, load. TORCH_BACKEND as in api.Dockerfile.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG TORCH_BACKEND=cpu
ARG TORCH=torch==2.13.0
ENV VIRTUAL_ENV=/opt/penchant UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
# --seed: data and base model are fetched by pip, so the jobs need one of their own.
RUN pip install --no-cache-dir uv==0.13.9 && uv venv --seed "${VIRTUAL_ENV}"
WORKDIR /build
RUN --mount=type=cache,target=/root/.cache/uv uv pip install --torch-backend="${TORCH_BACKEND}" "${TORCH}"
COPY pyproject.toml ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install --torch-backend="${TORCH_BACKEND}" -r pyproject.toml --extra offline
COPY README.md LICENSE ./
COPY app app
COPY models models
RUN --mount=type=cache,target=/root/.cache/uv uv pip install --no-deps .

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/penchant /opt/penchant
RUN install -d -o 10001 -g 10001 /srv/artifacts /srv/var /srv/docs/reports
ENV PATH=/opt/penchant/bin:$PATH PYTHONUNBUFFERED=1 HOME=/tmp
WORKDIR /srv
USER 10001:10001
# A job ends by itself: whether it went well is its exit status.
HEALTHCHECK NONE
ENTRYPOINT ["penchant"]
CMD ["demo", "--no-serve"]
