// RUN: lamina-opt %s -p loop-map-to-grid --split-input-file --verify-diagnostics | filecheck %s

// Loops that hold only each other are one nest; the rest is serial.
// CHECK-LABEL: func.func @nest(
// CHECK-NEXT:    loop.for %i < 4, %j < 3 parallel attributes {lamina.grid = array<i64: 1, 0>} {
// CHECK-NEXT:      loop.for %k < 2 {
// CHECK:           loop.for %l < 2 {
func.func @nest(%x: memref<4x3x4xf32>, %y: memref<4x3x4xf32>) {
  loop.for %i < 4 parallel {
    loop.for %j < 3 {
      loop.for %k < 2 parallel {
        %v = vec.load %x[%i, %j, %k] : memref<4x3x4xf32> -> f32
        vec.store %v, %y[%i, %j, %k] : f32, memref<4x3x4xf32>
      }
      loop.for %l < 2 parallel {
        %v = vec.load %x[%i, %j, %l + 2] : memref<4x3x4xf32> -> f32
        vec.store %v, %y[%i, %j, %l + 2] : f32, memref<4x3x4xf32>
      }
    }
  }
  func.return
}

// -----

// A sum is not independent of the steps before; it is a nest inside of the grid.
// CHECK-LABEL: func.func @reduction(
// CHECK:         loop.for %i < 4 parallel attributes {lamina.grid = array<i64: 0>} {
// CHECK-NEXT:      %{{.*}} = loop.for %k < 3 iter(
func.func @reduction(%x: memref<4x3xf32>, %y: memref<4xf32>) {
  %zero = arith.constant 0.0 : f32
  loop.for %i < 4 {
    %s = loop.for %k < 3 iter(%acc = %zero) : f32 {
      %v = vec.load %x[%i, %k] : memref<4x3xf32> -> f32
      %a = arith.addf %acc, %v : f32
      loop.yield %a : f32
    }
    vec.store %s, %y[%i] : f32, memref<4xf32>
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @several_nests(
// CHECK-NEXT:    %one = arith.constant
// CHECK-NEXT:    loop.for %i < 4 parallel attributes {lamina.grid = array<i64: 0>} {
// CHECK:         loop.for %group < 1 parallel attributes {lamina.grid = array<i64: 0>} {
// CHECK-NEXT:      vec.store %one, %y[0] : f32, memref<8xf32>
// CHECK-NEXT:      %z = vec.load %x[1] : memref<8xf32> -> f32
// CHECK-NEXT:      %w = arith.negf %z : f32
// CHECK-NEXT:      vec.store %w, %y[1] : f32, memref<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    loop.for %k < 2 parallel attributes {lamina.grid = array<i64: 0>} {
func.func @several_nests(%x: memref<8xf32>, %y: memref<8xf32>) {
  loop.for %i < 4 parallel {
    %v = vec.load %x[%i] : memref<8xf32> -> f32
    vec.store %v, %y[%i] : f32, memref<8xf32>
  }
  %one = arith.constant 1.0 : f32
  vec.store %one, %y[0] : f32, memref<8xf32>
  %z = vec.load %x[1] : memref<8xf32> -> f32
  %w = arith.negf %z : f32
  vec.store %w, %y[1] : f32, memref<8xf32>
  loop.for %k < 2 parallel {
    vec.store %one, %y[%k + 2] : f32, memref<8xf32>
  }
  func.return
}

// -----

// Steps that meet in an element are taken one after the other.
// CHECK-LABEL: func.func @dependent(
// CHECK-NEXT:    loop.for %group < 1 parallel attributes {lamina.grid = array<i64: 0>} {
// CHECK-NEXT:      loop.for %i < 4 {
func.func @dependent(%y: memref<5xf32>) {
  loop.for %i < 4 {
    %v = vec.load %y[%i] : memref<5xf32> -> f32
    vec.store %v, %y[%i + 1] : f32, memref<5xf32>
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @five_indices(
// CHECK-NEXT:    %one =
// CHECK-NEXT:    loop.for %h < 2, %i < 2, %j < 2, %k < 2, %l < 2 parallel attributes {lamina.grid = array<i64: 2, 2, 2, 1, 0>} {
func.func @five_indices(%y: memref<2x2x2x2x2xf32>) {
  %one = arith.constant 1.0 : f32
  loop.for %h < 2, %i < 2, %j < 2, %k < 2, %l < 2 {
    vec.store %one, %y[%h, %i, %j, %k, %l] : f32, memref<2x2x2x2x2xf32>
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @network(
// CHECK-NEXT:    func.call @kernel(%y)
func.func private @kernel(memref<4xf32>)
func.func @network(%y: memref<4xf32>) {
  func.call @kernel(%y) : (memref<4xf32>) -> ()
  func.return
}

// -----

// CHECK: loop-map-to-grid: @value_for_a_nest: vec.load and vec.store, which uses its result, would be launched apart; keep it in a buffer
func.func @value_for_a_nest(%x: memref<4xf32>, %y: memref<4xf32>) {
  %v = vec.load %x[0] : memref<4xf32> -> f32
  loop.for %i < 4 parallel {
    vec.store %v, %y[%i] : f32, memref<4xf32>
  }
  func.return
}
