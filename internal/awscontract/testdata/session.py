"""A session of boto3 with an account, its own parameter validation on.

usage: session.py ENDPOINT ROLE_ARN

Prints one line per step: what was done, and what came of it.
"""

import json
import sys

import boto3
from botocore.exceptions import ClientError, ParamValidationError

endpoint, role = sys.argv[1:]


def client(service, credentials=None):
    keys = {}
    if credentials:
        keys = {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials.get("SessionToken"),
        }
    return boto3.client(service, endpoint_url=endpoint, **keys)


def step(what, call, show=lambda answer: "done"):
    """Prints what a call answers, or how it is refused."""
    try:
        print(what + ":", show(call()))
    except ParamValidationError:
        print(what + ": refused by botocore")
    except ClientError as e:
        meta, error = e.response["ResponseMetadata"], e.response["Error"]
        kind = "" if type(e) is ClientError else " as " + type(e).__name__
        assert meta["RequestId"] and error["Type"] == "Sender" and error["Message"], e.response
        print(f"{what}: {meta['HTTPStatusCode']} {error['Code']}{kind}")


def document(action, effect="Allow"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]})


def pages(operation, key, **arguments):
    """Counts the pages and items of a list, one item at a time."""
    shown = [len(page[key]) for page in iam.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}, **arguments)]
    return f"{sum(shown)} on {len(shown)} pages"


iam, sts = client("iam"), client("sts")

arns = [iam.create_policy(PolicyName=name, PolicyDocument=document("*"))["Policy"]["Arn"] for name in ("p1", "p2", "p3")]
step("create user", lambda: iam.create_user(
    UserName="bob", Path="/team/", PermissionsBoundary=arns[0], Tags=[{"Key": "owner", "Value": "x y/ü"}])["User"],
    lambda u: f"{u['Arn']} {u['PermissionsBoundary']['PermissionsBoundaryArn']} {u['Tags'][0]['Value']}")
step("create it again", lambda: iam.create_user(UserName="BOB"))
iam.get_waiter("user_exists").wait(UserName="bob", WaiterConfig={"Delay": 1, "MaxAttempts": 1})
step("name too short", lambda: iam.create_user(UserName=""))
step("name too long", lambda: iam.create_user(UserName="x" * 65))
for arn in arns:
    iam.attach_user_policy(UserName="bob", PolicyArn=arn)
step("list attached", lambda: pages("list_attached_user_policies", "AttachedPolicies", UserName="bob"), str)
step("list users", lambda: pages("list_users", "Users"), str)
iam.put_user_policy(UserName="bob", PolicyName="inline", PolicyDocument=document(["iam:*", "sts:*"]))
step("read a policy", lambda: iam.get_user_policy(UserName="bob", PolicyName="inline"),
     lambda a: a["PolicyDocument"]["Statement"][0]["Action"])
step("bad policy", lambda: iam.put_user_policy(UserName="bob", PolicyName="bad", PolicyDocument="no JSON"))

keys = [iam.create_access_key(UserName="bob")["AccessKey"] for _ in range(2)]
step("third key", lambda: iam.create_access_key(UserName="bob"))
bob = client("sts", keys[0])
step("who is bob", bob.get_caller_identity, lambda a: a["Arn"])
step("wrong secret", client("sts", keys[0] | {"SecretAccessKey": "x"}).get_caller_identity)

assumed = sts.assume_role(RoleArn=role, RoleSessionName="session", SourceIdentity="bob", DurationSeconds=900,
                          Tags=[{"Key": "team", "Value": "blue"}], Policy=document("iam:ListUsers"))
step("assume a role", lambda: assumed, lambda a: f"{a['AssumedRoleUser']['Arn']} {a['SourceIdentity']}")
step("as the role", lambda: client("iam", assumed["Credentials"]).list_users(PathPrefix="/team/"), lambda a: a["Users"][0]["UserName"])
step("session policy", lambda: client("iam", assumed["Credentials"]).get_user(UserName="bob"))
step("session name too short", lambda: sts.assume_role(RoleArn=role, RoleSessionName="x"))
step("unknown role", lambda: sts.assume_role(RoleArn=role + "x", RoleSessionName="session"))

federated = bob.get_federation_token(Name="fed", DurationSeconds=900, Policy=document("*"))
step("federate", lambda: federated, lambda a: f"{a['FederatedUser']['Arn']} {a['FederatedUser']['FederatedUserId']}")
step("who is federated", client("sts", federated["Credentials"]).get_caller_identity, lambda a: a["Arn"])
step("federated on IAM", client("iam", federated["Credentials"]).list_users)
token = bob.get_session_token(DurationSeconds=900)["Credentials"]
step("who has the token", client("sts", token).get_caller_identity, lambda a: a["Arn"])
step("token for a token", client("sts", token).get_session_token)

step("delete with keys", lambda: iam.delete_user(UserName="bob"))
for key in keys:
    iam.delete_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"])
for arn in arns:
    iam.detach_user_policy(UserName="bob", PolicyArn=arn)
iam.delete_user_policy(UserName="bob", PolicyName="inline")
step("delete", lambda: iam.delete_user(UserName="bob"))
step("delete again", lambda: iam.delete_user(UserName="bob"))
