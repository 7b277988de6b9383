// A contraction that is in no network: five axes, none of which its tile divides, over a window of
// two of them. Hand written schedules: 28 accumulators of 16 lanes, 12 of 8 lanes.
//
//   python -m benchmarks.kernels --only contraction

// y[i, j, n] = sum over k and a window l, m of x[i + l, j + m, k] * w[l, m, k, n]
func.func @contraction_avx512(
    %x: memref<44x57x61xf32>, %w: memref<2x3x61x101xf32>, %y: memref<43x55x101xf32>) {
  te.compute
    axes(i: 43, j: 55, n: 101, reduce l: 2, reduce m: 3, reduce k: 61)
    ins(%x[i + l, j + m, k], %w[l, m, k, n])
    out(%y[i, j, n])
    init 0.0 : f32
    schedule [split n 32 no ni, split ni 16 nm nv, split j 14 jo ji,
      order i no jo l m k ji nm nv, parallel i, unroll ji nm, vector nv]
    : memref<44x57x61xf32>, memref<2x3x61x101xf32>, memref<43x55x101xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    }
  func.return
}

func.func @contraction_avx2(
    %x: memref<44x57x61xf32>, %w: memref<2x3x61x101xf32>, %y: memref<43x55x101xf32>) {
  te.compute
    axes(i: 43, j: 55, n: 101, reduce l: 2, reduce m: 3, reduce k: 61)
    ins(%x[i + l, j + m, k], %w[l, m, k, n])
    out(%y[i, j, n])
    init 0.0 : f32
    schedule [split n 24 no ni, split ni 8 nm nv, split j 4 jo ji,
      order i no jo l m k ji nm nv, parallel i, unroll ji nm, vector nv]
    : memref<44x57x61xf32>, memref<2x3x61x101xf32>, memref<43x55x101xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    }
  func.return
}
