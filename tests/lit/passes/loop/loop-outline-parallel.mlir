// RUN: lamina-opt %s -p loop-outline-parallel --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func private @copy_step(%i: index, %j: index, %x: memref<4x3xf32>, %y: memref<4x3xf32>) {
// CHECK-NEXT:    %v = vec.load %x[%i, %j] : memref<4x3xf32> -> f32
// CHECK-NEXT:    vec.store %v, %y[%i, %j] : f32, memref<4x3xf32>
// CHECK-NEXT:    func.return
// CHECK-LABEL: func.func @copy(
// CHECK-NEXT:    loop.for %i < 4, %j < 3 parallel {
// CHECK-NEXT:      func.call @copy_step(%i, %j, %x, %y) : (index, index, memref<4x3xf32>, memref<4x3xf32>) -> ()
// CHECK-NEXT:    }
func.func @copy(%x: memref<4x3xf32>, %y: memref<4x3xf32>) {
  loop.for %i < 4, %j < 3 parallel {
    %v = vec.load %x[%i, %j] : memref<4x3xf32> -> f32
    vec.store %v, %y[%i, %j] : f32, memref<4x3xf32>
  }
  func.return
}

// -----

// CHECK-LABEL: func.func private @f_step1(%j: index, %i: index, %y: memref<2x3xf32>) {
// CHECK-NEXT:    %z = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    loop.for %k < 5 parallel {
// CHECK-LABEL: func.func @f(
// CHECK:           func.call @f_step1(%j, %i, %y)
func.func private @f_step(f32)
func.func @f(%y: memref<2x3xf32>) {
  %z = arith.constant 0.0 : f32
  loop.for %i < 2 {
    loop.for %j < 3 parallel {
      loop.for %k < 5 parallel {
        vec.store %z, %y[%i, %j] : f32, memref<2x3xf32>
      }
    }
  }
  func.return
}

// -----

// CHECK-LABEL: func.func private @g_step(%i: index, %x: memref<2xf32> {lamina.may_alias}, %y: memref<2xf32> {lamina.may_alias}, %w: memref<2xf32>) {
func.func @g(%x: memref<2xf32> {lamina.may_alias}, %y: memref<2xf32> {lamina.may_alias}, %w: memref<2xf32>) {
  loop.for %i < 2 parallel {
    %v = vec.load %x[%i] : memref<2xf32> -> f32
    vec.store %v, %y[%i] : f32, memref<2xf32>
    vec.store %v, %w[%i] : f32, memref<2xf32>
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @h(
// CHECK-NEXT:    loop.for %i < 2 parallel {
// CHECK-NEXT:      func.call @done_before(%i) : (index) -> ()
// CHECK-NEXT:    }
func.func private @done_before(index)
func.func @h() {
  loop.for %i < 2 parallel {
    func.call @done_before(%i) : (index) -> ()
  }
  func.return
}

// -----

// CHECK: loop-outline-parallel: the body of (i) uses a vector<4xf32> from outside; only buffers, indices and constants can be handed to it, so keep it in a buffer
func.func @vectors_stay(%x: memref<4xf32>) {
  %v = vec.load %x[0] : memref<4xf32> -> vector<4xf32>
  loop.for %i < 2 parallel {
    vec.store %v, %x[0] : vector<4xf32>, memref<4xf32>
  }
  func.return
}
