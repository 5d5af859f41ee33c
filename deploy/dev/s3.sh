# versitygw: S3 with strict signatures over a directory. Sourced by services.
# shellcheck shell=bash disable=SC2034,SC2154 # its variables are shared with services

s3_access_key=mediafleet
s3_secret_key=mediafleet-development
s3_bucket=mediafleet
s3_region=us-east-1

s3_start() {
    local metadata=()
    mkdir -p "$state/s3/objects" "$state/s3/metadata"
    # Object metadata lives in extended attributes; not every /tmp has them.
    has_extended_attributes "$state/s3" || metadata=(--sidecar "$state/s3/metadata")
    ROOT_ACCESS_KEY=$s3_access_key ROOT_SECRET_KEY=$s3_secret_key \
        spawn s3 "$versitygw" --quiet --port "127.0.0.1:$s3_port" --region "$s3_region" \
        posix "${metadata[@]}" "$state/s3/objects"
}

# Ready means: the bucket is there. Creating it a second time is refused with 409, which is fine.
s3_ready() {
    local status
    status=$(curl --noproxy '*' -s -m 2 -o /dev/null -w '%{http_code}' -X PUT \
        -H "x-amz-content-sha256: $(sha256sum </dev/null | cut -d' ' -f1)" \
        --aws-sigv4 "aws:amz:$s3_region:s3" --user "$s3_access_key:$s3_secret_key" \
        "$(s3_url)/$s3_bucket") || return
    [[ $status == 200 || $status == 409 ]]
}

s3_stop() {
    terminate s3
    await_end s3 10
}

s3_env() {
    echo "export AWS_ENDPOINT_URL=$(s3_url)"
    echo "export AWS_ACCESS_KEY_ID=$s3_access_key"
    echo "export AWS_SECRET_ACCESS_KEY=$s3_secret_key"
    echo "export AWS_STORAGE_BUCKET_NAME=$s3_bucket"
    echo "export AWS_DEFAULT_REGION=$s3_region"
}

s3_url() { echo "http://127.0.0.1:$s3_port"; }

has_extended_attributes() { # DIRECTORY
    python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.mediafleet", b"1")' "$1" 2>/dev/null
}
