"""What Chalice does not make: the rest of the stack, the package and the deployment."""
