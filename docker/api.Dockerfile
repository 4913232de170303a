# syntax=docker/dockerfile:1
# The server. TORCH_BACKEND chooses torch's build, in uv's words: cpu, or one for CUDA such as cu130.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG TORCH_BACKEND=cpu
ARG TORCH=torch==2.13.0
ENV VIRTUAL_ENV=/opt/penchant UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir uv==0.13.9 && uv venv "${VIRTUAL_ENV}"
WORKDIR /build
# Torch first and alone: gigabytes that change once a year. Then what we depend on, then ourselves.
RUN --mount=type=cache,target=/root/.cache/uv uv pip install --torch-backend="${TORCH_BACKEND}" "${TORCH}"
COPY pyproject.toml ./
RUN --mount=type=cache,target=/root/.cache/uv uv pip install --torch-backend="${TORCH_BACKEND}" -r pyproject.toml
COPY README.md LICENSE ./
COPY app app
COPY models models
RUN --mount=type=cache,target=/root/.cache/uv uv pip install --no-deps .

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/penchant /opt/penchant
# A named volume takes over the owner of the folder that it is first mounted on.
RUN install -d -o 10001 -g 10001 /srv/artifacts /srv/var
ENV PATH=/opt/penchant/bin:$PATH PYTHONUNBUFFERED=1 HOME=/tmp
WORKDIR /srv
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Python, since the image holds no curl. A bundle is verified and its golden queries asked before the first answer.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["penchant", "serve"]
