"""What a user of boto3 writes: every file of a directory to the bucket, by s3transfer's manager, which is also what `aws s3 cp` runs.

boto3_upload.py DIRECTORY PREFIX [THREADS]      the endpoint, the bucket and its keys are the environment's
"""
import os
import pathlib
import sys

import boto3
from boto3.s3.transfer import TransferConfig, create_transfer_manager
from botocore.config import Config


def main(directory, prefix, threads=10):
    """10 threads: the default of TransferConfig. Parts of 8 MB from 8 MB on are its default, too."""
    threads = int(threads)
    directory, bucket = pathlib.Path(directory), os.environ["AWS_STORAGE_BUCKET_NAME"]
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(max_pool_connections=max(10, threads)))
    with create_transfer_manager(client, TransferConfig(max_concurrency=threads)) as manager:
        futures = [manager.upload(str(file), bucket, prefix + str(file.relative_to(directory)))
                   for file in sorted(directory.rglob("*")) if file.is_file()]
        for future in futures:
            future.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
