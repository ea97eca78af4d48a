# chatsim and chatsys in one image; docs/image.md says how to build it and what to do with it.
#
# BASE is any image of Debian's kind that has a Python of 3.11 or later with its venv module as `python3`.
# Packages come from the pins in requirements/run.txt, hashes checked, from the index that pip is set up to use.
ARG BASE=python:3.13-slim

# hadolint ignore=DL3006 # which version is the business of whoever names BASE
FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN useradd --no-log-init --uid 10001 --user-group --home-dir /srv/chatsim --no-create-home chatsim \
    && mkdir empty \
    && python3 -m venv tools \
    && python3 -m venv --without-pip /usr/local/lib/chatsim
COPY requirements/run.txt .
RUN tools/bin/pip download --quiet --require-hashes --only-binary :all: --dest wheels --requirement run.txt \
    && tools/bin/pip install --quiet --no-index --find-links wheels hatchling

# The project is a wheel among those of the pins, and is installed from these alone: what it needs, and no more.
COPY pyproject.toml README.md LICENSE ./
COPY chatsys chatsys
COPY gallery gallery
COPY harness harness
COPY scenarios scenarios
RUN tools/bin/pip wheel --quiet --no-index --no-deps --no-build-isolation --wheel-dir wheels . \
    && tools/bin/pip --python /usr/local/lib/chatsim/bin/python install --quiet --no-compile \
        --no-index --find-links wheels chatsim \
    && /usr/local/lib/chatsim/bin/python -m compileall -q --invalidation-mode unchecked-hash /usr/local/lib/chatsim

# Whoever runs the image may not write, so what is not compiled now would be compiled at every start. Some bases come
# with a standard library that is not.
RUN touch begun \
    && stdlib=$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))') \
    && python3 -m compileall -q -x '/(site-packages|dist-packages|test|tests|ensurepip|idlelib|tkinter|turtledemo)/' "$stdlib" \
    && mkdir image \
    && find "$stdlib" -name '*.pyc' -newer begun -exec cp --parents -t image {} + \
    && cp --parents -a -t image /usr/local/lib/chatsim /etc/passwd /etc/group

# Nothing is run in this stage: whatever a build is lent, it leaves no trace here.
# hadolint ignore=DL3006 # the same
FROM ${BASE}
LABEL org.opencontainers.image.title="chatsim" \
      org.opencontainers.image.description="Plays chat conversations against a real chat system, and proves what everyone received" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /build/image /
COPY --from=build /build/scenarios /srv/chatsim/scenarios
COPY --from=build --chown=10001:10001 /build/empty /srv/chatsim/reports
COPY --from=build --chown=10001:10001 /build/empty /var/lib/chatsys
# chatsys keeps its log in $XDG_DATA_HOME/chatsys.
ENV PATH=/usr/local/lib/chatsim/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_DATA_HOME=/var/lib
WORKDIR /srv/chatsim
VOLUME ["/srv/chatsim/reports", "/var/lib/chatsys"]
EXPOSE 50051
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
# A server is asked whether it serves; anything else is well for as long as it runs.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["sh", "-c", "! tr '\\0' ' ' </proc/1/cmdline | grep -Eq '(bin/| -- )chatsys serve' || exec chatsys health"]
CMD ["chatsim", "run", "scenarios", "--speed", "max"]
