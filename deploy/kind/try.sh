#!/bin/sh
# Builds the image, loads it into a kind cluster, installs the chart and runs the README's tutorial against it.
# Needs docker, kind, kubectl, helm and curl. The cluster stays: `kind delete cluster --name latchkey` removes it.
set -eu
cd "$(dirname "$0")/../.."
for program in docker kind kubectl helm curl; do
  command -v "$program" >/dev/null || {
    echo "try: $program is not installed" >&2
    exit 1
  }
done

cluster=latchkey
docker build --tag latchkey:kind .
if ! kind get clusters | grep -qx "$cluster"; then
  kind create cluster --name "$cluster" --config deploy/kind/cluster.yaml --wait 120s
fi
kind load docker-image latchkey:kind --name "$cluster"

# Whatever cluster they usually talk to is left alone.
helm() { command helm --kube-context "kind-$cluster" "$@"; }
kubectl() { command kubectl --context "kind-$cluster" "$@"; }

helm upgrade --install latchkey charts/latchkey --namespace latchkey --create-namespace \
  --values deploy/kind/values.yaml
# An image that was built anew has the name it had before.
kubectl rollout restart deployment/latchkey --namespace latchkey
kubectl rollout status deployment/latchkey --namespace latchkey --timeout 120s

# The tutorial starts from nothing: consumers are made in the release's namespace, plugins in that of their
# Ingress. Its upstream on a cluster is an ordinary Service.
kubectl delete kongplugins,kongconsumers --all --all-namespaces
kubectl delete secrets --selector konghq.com/credential --all-namespaces
kubectl delete ingress mocking --ignore-not-found --namespace default
kubectl apply --filename examples/quickstart/mocking.yaml --filename deploy/kind/mocking.yaml
kubectl rollout status deployment/mocking --namespace default --timeout 120s

# Not the function: the shell would be told the id of another shell.
command kubectl --context "kind-$cluster" port-forward deployment/latchkey 8001 --namespace latchkey >/dev/null &
forward=$!
trap 'kill "$forward"' EXIT
for url in http://localhost:8001/status http://localhost:8000/mock; do
  curl --silent --show-error --fail --retry 30 --retry-delay 1 --retry-all-errors --output /dev/null "$url"
done

deploy/kind/tutorial.sh
kubectl get ingresses,kongplugins,kongconsumers --all-namespaces
