# syntax=docker/dockerfile:1
# One file for the images of all components; PRODUCT is the name of the executable and of its folder
# in cluster/applications:
#   docker build --build-arg PRODUCT=exactly-one-pod-hook .

# Debian 12 on both sides: the binary brings Swift's libraries but uses the system's libc.
FROM swift:6.3-bookworm AS build
ARG TARGETARCH
ARG PRODUCT
WORKDIR /source
COPY Package.swift ./
COPY Benchmarks Benchmarks
COPY Sources Sources
COPY Tests Tests
RUN --mount=type=cache,id=hippocampus-$TARGETARCH,target=/source/.build,sharing=locked \
    : "${PRODUCT:?name the executable: --build-arg PRODUCT=...}" \
    && swift build -c release --static-swift-stdlib --product "$PRODUCT" \
    && mkdir -p "/out/usr/lib/$(uname -m)-linux-gnu" \
    && cp "$(swift build -c release --static-swift-stdlib --show-bin-path)/$PRODUCT" /out/ \
    && strip --strip-all "/out/$PRODUCT" \
    # The entry point cannot name a build argument, so it names this.
    && ln -s "$PRODUCT" /out/entrypoint \
    # distroless/cc has the C and C++ runtimes, but no zlib.
    && ldd "/out/$PRODUCT" | awk '$1 ~ /^libz\./ { print $3 }' \
       | xargs -r cp -L -t "/out/usr/lib/$(uname -m)-linux-gnu/"

FROM gcr.io/distroless/cc-debian12:nonroot
ARG PRODUCT
ARG VERSION=main
ARG REVISION=unknown
LABEL org.opencontainers.image.title="$PRODUCT" \
      org.opencontainers.image.description="$PRODUCT, a Kubernetes service of Hippocampus" \
      org.opencontainers.image.documentation="https://github.com/kaidotio/hippocampus/blob/main/cluster/applications/$PRODUCT/README.md" \
      org.opencontainers.image.source="https://github.com/kaidotio/hippocampus" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /out/ /
USER 65532:65532
# What serves clients over plain HTTP (http-kvs) is reached from outside of the container.
ENV ADDRESS=0.0.0.0:8080
ENTRYPOINT ["/entrypoint"]
